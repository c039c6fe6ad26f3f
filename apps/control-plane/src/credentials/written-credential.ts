import { takeSecrets } from '@gatehouse/config-fields';
import { GatewayError, type Problem } from '@gatehouse/errors';
import { type CredentialScope, writableCredential } from '@gatehouse/gateway-config';
import { documentProblems } from '../http/parse-document.ts';
import { planSecrets, type SecretPlan } from '../servers/plan-secrets.ts';
import type { StoredDocument } from '../servers/servers.store.ts';

export interface WrittenCredential {
  readonly name: string;
  readonly scope: CredentialScope;
  /** Without its value and what reading adds. */
  readonly document: StoredDocument;
  readonly secrets: SecretPlan;
}

/**
 * @param workspace its name
 * @param storedSecrets locations of what is stored already
 * @throws GatewayError validation_failed
 */
export function readWrittenCredential(body: unknown, workspace: string, storedSecrets: readonly string[]): WrittenCredential {
  const problems = documentProblems(writableCredential, body);
  if (problems.length > 0) throw refused(problems);
  const { kind: _k, id: _i, revision: _v, createdAt: _c, updatedAt: _u, warnings: _w, workspace: named, ...spec } = writableCredential.parse(body);
  if (named !== undefined && named !== workspace) throw refused([{ pointer: '/workspace', detail: 'is not the workspace of this URL', code: 'workspace_mismatch' }]);
  const { document, secrets } = takeSecrets(spec);
  // What was everyone's value is no one person's.
  const plan = spec.scope === 'user' ? { set: new Map(), kept: new Set<string>(), removed: storedSecrets } : planSecrets(document, secrets, storedSecrets);
  return { name: spec.name, scope: spec.scope, document, secrets: plan };
}

const refused = (problems: readonly Problem[]): GatewayError => new GatewayError('validation_failed', { problems });
