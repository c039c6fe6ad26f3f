import { takeSecrets } from '@gatehouse/config-fields';
import { GatewayError, type Problem } from '@gatehouse/errors';
import { completeServer, takeSource, type ToolsSource, writableServer, writableServerFor } from '@gatehouse/gateway-config';
import { documentProblems, parseDocument } from '../http/parse-document.ts';
import { missingSecrets } from './missing-secrets.ts';
import { planSecrets, type SecretPlan, withPlannedSecrets } from './plan-secrets.ts';
import type { StoredDocument } from './servers.store.ts';
import { isOpenServer } from './server-warnings.ts';
import { withTools } from './tools/complete-tools.ts';
import { unknownSource } from './tools/kept-source.ts';

export interface WrittenServerDocument {
  readonly name: string;
  /** Normalised, without secrets and without what reading adds. */
  readonly document: StoredDocument;
  readonly secrets: SecretPlan;
  /** Of an API: what the document itself had its tools in, which it has a mark for. */
  readonly source?: string | object | undefined;
}

export interface WriteContext {
  /** The workspace's name. */
  readonly workspace: string;
  /** Locations of the secrets that are stored already. */
  readonly storedSecrets: readonly string[];
  /** Where the tools come from that are stored already. */
  readonly storedTools?: ToolsSource | undefined;
  readonly openServersAllowed: boolean;
}

/**
 * Reads a document as it was sent, for a server whose stored secrets are known.
 * @throws GatewayError validation_failed
 */
export function readWrittenServer(body: unknown, context: WriteContext): WrittenServerDocument {
  const problems = documentProblems(writableServerFor(body), body);
  // A missing secret is said together with everything else, not after it was put right.
  if (problems.length > 0) throw refused(...problems, ...missingSecrets(body, context.storedSecrets));
  const parsed = writableServer.parse(body);
  const { id: _i, url: _u, revision: _r, createdAt: _c, updatedAt: _t, warnings: _w, kind: _k, workspace, ...spec } = parsed;
  if (workspace !== undefined && workspace !== context.workspace) {
    throw refused({ pointer: '/workspace', detail: 'is not the workspace of this URL', code: 'workspace_mismatch' });
  }
  const taken = spec.type === 'api' ? takeSource(spec.tools) : undefined;
  const unknown = taken === undefined || taken.source !== undefined ? [] : unknownSource(taken.tools, context.storedTools);
  if (unknown.length > 0) throw refused(...unknown);
  const complete = { ...spec, ...(taken && { tools: taken.tools }), ...(spec.type !== 'virtual' && { appAuth: spec.appAuth ?? ({ type: 'none' } as const) }), enabled: spec.enabled ?? true };
  const { document, secrets: written } = takeSecrets(complete);
  const secrets = planSecrets(document, written, context.storedSecrets);
  parseDocument(completeServer, withTools(withPlannedSecrets(document, secrets)));
  if (!context.openServersAllowed && isOpenServer(document, [...secrets.set.keys(), ...secrets.kept])) {
    throw refused({ pointer: '/agentAuth', detail: 'must authenticate the caller: this deployment allows no open servers', code: 'open_server' });
  }
  return { name: parsed.name, document, secrets, source: taken?.source };
}

const refused = (...problems: Problem[]): GatewayError => new GatewayError('validation_failed', { problems });
