import { takeSecrets } from '@gatehouse/config-fields';
import { GatewayError, type Problem } from '@gatehouse/errors';
import { completeIdentityProvider, writableIdentityProvider } from '@gatehouse/gateway-config';
import { documentProblems, parseDocument } from '../../http/parse-document.ts';
import { planSecrets, type SecretPlan, withPlannedSecrets } from '../../servers/plan-secrets.ts';
import type { StoredDocument } from '../../servers/servers.store.ts';

export interface WrittenProvider {
  readonly name: string;
  readonly issuer: string;
  /** Without its secret and what reading adds. */
  readonly document: StoredDocument;
  readonly secrets: SecretPlan;
}

/** @throws GatewayError validation_failed */
export function readWrittenProvider(body: unknown, storedSecrets: readonly string[]): WrittenProvider {
  const problems = documentProblems(writableIdentityProvider, body);
  // A missing secret is said together with everything else, not after it was put right.
  if (problems.length > 0) throw new GatewayError('validation_failed', { problems: [...problems, ...missingSecret(body, storedSecrets)] });
  const parsed = writableIdentityProvider.parse(body);
  const { kind: _k, id: _i, redirectUri: _r, revision: _v, createdAt: _c, updatedAt: _u, warnings: _w, ...spec } = parsed;
  const { document, secrets: written } = takeSecrets({ ...spec, enabled: spec.enabled ?? true });
  const secrets = planSecrets(document, written, storedSecrets);
  parseDocument(completeIdentityProvider, withPlannedSecrets(document, secrets));
  return { name: spec.name, issuer: spec.issuer, document, secrets };
}

function missingSecret(body: unknown, storedSecrets: readonly string[]): Problem[] {
  const sent = (body as Readonly<Record<string, unknown>> | null | undefined)?.['clientSecret'];
  const isMissing = sent === null || (sent === undefined && storedSecrets.length === 0);
  return isMissing ? [{ pointer: '/clientSecret', detail: 'is required', code: 'required' }] : [];
}
