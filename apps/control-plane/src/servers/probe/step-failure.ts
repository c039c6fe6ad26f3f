import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import type { Mask } from './mask-secrets.ts';

/** Why a step of a probe failed, in words that may be shown to an administrator once secrets are masked. */
export class StepFailure extends Error {
  readonly reason: ErrorCode;
  readonly detail: string;
  readonly advice: string;

  constructor(reason: ErrorCode, detail: string, advice: string, cause?: unknown) {
    super(detail, { cause });
    this.name = 'StepFailure';
    this.reason = reason;
    this.detail = detail;
    this.advice = advice;
  }
}

const operatorAdvice = 'If the upstream is meant to be there, the operator of Gatehouse can allow its range with GATEHOUSE_EGRESS_ALLOWED_RANGES.';

const advice: Partial<Record<ErrorCode, string>> = {
  upstream_unreachable: 'Check host and port of the upstream URL, and that they can be reached from where Gatehouse runs.',
  upstream_timeout: 'Check that the upstream is running and that no firewall drops the connection; a slow upstream needs longer timeouts.',
  upstream_not_mcp: 'Check that the upstream URL is the one of its MCP endpoint.',
  upstream_failed: 'Check the upstream’s own log, and that the upstream URL is the one of its MCP endpoint.',
  upstream_address_refused: operatorAdvice,
  connection_needs_person: 'What each caller connects or enters for themselves can be tested by a person who could call this server, with what is their own: log in as one, or call a tool of the server as one.',
  subject_token_missing: 'What is made of a caller’s token is there where a person has one from their login: log in at the identity provider and test again, or call a tool of the server as one of its callers.',
  claim_missing: 'Nothing that would say it is known of whoever asks for this test: call a tool of the server as one of its callers instead.',
  connection_misconfigured: 'Check the app that appAuth names, as it is registered at its provider.',
  token_exchange_refused: 'Check appAuth, or the source of the outbound header, against what the provider says; its own log may say more.',
  provider_unavailable: 'Check that the token endpoint is running, and that it can be reached from where Gatehouse runs.',
  credential_unavailable: 'Check the settings of appAuth and outboundHeaders, and that the provider can be reached.',
};

const details: Partial<Record<ErrorCode, string>> = { connection_needs_person: 'This needs a person’s own connection or credential.' };

/** A failure of the network or of obtaining a credential, as a step's. */
export function stepFailureOf(error: GatewayError): StepFailure {
  // The guard's detail has the address that a name resolves to, which is no business of who may only name it.
  const detail = details[error.code] ?? (error.code === 'upstream_address_refused' ? error.publicMessage : sentence(error.detail ?? error.publicMessage));
  return new StepFailure(error.code, detail, advice[error.code] ?? 'See the log of the control plane.', error);
}

/**
 * For answers other than a report: what failed, pointing at the part of the server's document it is about. Without the cause:
 * what a client library throws may quote the upstream.
 */
export function gatewayErrorOf(failure: StepFailure, { server, mask }: { readonly server: UpstreamServerDocument; readonly mask: Mask }): GatewayError {
  const { reason, cause } = failure;
  const isAboutCredentials = credentialReasons.has(reason);
  const pointer = isAboutCredentials ? credentialsPointer(server) : '/upstream/url';
  const said = mask(failure.detail);
  const words = `${said.charAt(0).toLowerCase()}${said.slice(1)} ${failure.advice.replace(/\.$/, '')}`;
  const detail = cause instanceof GatewayError && cause.detail !== undefined ? cause.detail : failure.detail;
  return new GatewayError(reason, { detail: mask(detail), problems: [{ pointer, detail: words, code: reason }] });
}

const credentialReasons = new Set<ErrorCode>([
  'upstream_rejected_credentials', 'credential_unavailable', 'connection_needs_person', 'subject_token_missing', 'claim_missing', 'connect_required', 'reconnect_required', 'credential_missing', 'credential_refused',
  'connection_misconfigured', 'token_exchange_refused', 'provider_unavailable',
]);

const credentialsPointer = ({ appAuth, outboundHeaders = [] }: UpstreamServerDocument): string => (appAuth.type === 'none' && outboundHeaders.length > 0 ? '/outboundHeaders' : '/appAuth');

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
