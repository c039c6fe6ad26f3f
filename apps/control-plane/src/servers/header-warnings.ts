import { pointerOf } from '@gatehouse/errors';
import type { GlobalHeaderPolicy, ServerHeaderPolicy, Warning } from '@gatehouse/gateway-config';
import type { HeaderRules, Verdict } from '@gatehouse/header-policy';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { type RowFate, rowFates } from '../header-policy/row-fates.ts';
import type { StoredDocument } from './servers.store.ts';

/** What a server's pass-through does not do, although its document reads as if it did: as the compiled rules say. */
export function headerWarnings(document: StoredDocument, server: PreparedServer, policy: GlobalHeaderPolicy): Warning[] {
  // As if the switch were on: that all is off is said of the policy, not of each server.
  const rules = server.headerRules.under({ ...policy, enabled: true });
  return [...authorizationWarnings(server, rules), ...rowWarnings(document, rules)];
}

/** D2 (docs/rules.md), for a server that passes its caller's credentials on. */
function authorizationWarnings({ appAuth, agentAuth }: PreparedServer, rules: HeaderRules): Warning[] {
  if (appAuth.type !== 'passthrough') return [];
  if (!agentAuth.forwardsAuthorization) {
    return [warning('passthrough_without_authorization', '/appAuth', 'The caller’s Authorization goes no further than the gateway, because agentAuth is not passthrough: X-Upstream-Authorization and other headers pass.')];
  }
  if (rules.decide('Authorization').dropped?.reason !== 'not_selected') return [];
  return [warning('authorization_not_selected', '/headerPolicy', 'The caller’s Authorization will not go upstream: this policy does not select it.')];
}

function rowWarnings(document: StoredDocument, rules: HeaderRules): Warning[] {
  // The global policy's rows are not this document's.
  const own = document['headerPolicy'] as ServerHeaderPolicy | undefined;
  if (own === undefined) return [];
  const pointerTo = (index: number) => (field: 'source' | 'target') => pointerOf(own.mode === 'mappings' ? ['headerPolicy', 'mappings', index, field] : ['headerPolicy', 'list', index]);
  return rowFates(rules).flatMap((fate, index) => rowWarning(fate, pointerTo(index)) ?? []);
}

function rowWarning(fate: RowFate, pointer: (field: 'source' | 'target') => string): Warning | undefined {
  if (fate.fate === 'passes') return undefined;
  if (fate.fate === 'needs_no_row') {
    return warning('upstream_authorization_needs_no_row', pointer('source'), 'This has no effect: where no credential is stored, X-Upstream-Authorization goes upstream as Authorization by itself.');
  }
  const { row, verdict } = fate;
  if (verdict.reason === 'credential_not_forwardable') {
    return warning('authorization_not_forwardable', pointer('source'), 'This has no effect: the caller’s Authorization passes only where agentAuth and appAuth are both passthrough.');
  }
  const isAboutTarget = verdict.outgoingName !== undefined;
  return warning('target_never_leaves', pointer(isAboutTarget ? 'target' : 'source'), `${isAboutTarget ? row.target : row.source} never leaves: ${whyNever(verdict)}.`);
}

function whyNever({ reason, rule, from }: Verdict): string {
  switch (reason) {
    case 'restricted':
      return `${from === 'global' ? 'the global policy' : 'this server'} has it as ${rule}`;
    case 'app_auth_wins':
      return 'app authentication sets it';
    case 'outbound_header_wins':
      return 'an outbound header sets it';
    case 'base_header_wins':
      return 'the gateway writes it itself, and overwriteBaseHeaders is off';
    default:
      return `${rule} are never passed on`;
  }
}

const warning = (code: string, pointer: string, detail: string): Warning => ({ code, pointer, detail });
