import { type ResolvedApp, resolveApp } from '@gatehouse/app-catalog';
import { takeSecrets } from '@gatehouse/config-fields';
import { GatewayError, type Problem } from '@gatehouse/errors';
import { type AppDocument, completeApp, writableApp } from '@gatehouse/gateway-config';
import { documentProblems, parseDocument } from '../http/parse-document.ts';
import { planSecrets, type SecretPlan, withPlannedSecrets } from '../servers/plan-secrets.ts';
import type { StoredDocument } from '../servers/servers.store.ts';
import type { Catalog } from './catalog.ts';

export interface WrittenApp {
  readonly name: string;
  /** Without its secret and what reading adds. */
  readonly document: StoredDocument;
  readonly secrets: SecretPlan;
  /** What it means, with something in the place of a secret that is kept. */
  readonly app: ResolvedApp;
}

export interface WriteContext {
  /** The workspace's name. */
  readonly workspace: string;
  /** Locations of the secrets that are stored already. */
  readonly storedSecrets: readonly string[];
  readonly catalog: Catalog;
}

/** @throws GatewayError validation_failed */
export function readWrittenApp(body: unknown, { workspace, storedSecrets, catalog }: WriteContext): WrittenApp {
  const problems = documentProblems(writableApp, body);
  if (problems.length > 0) throw refused(problems);
  const parsed = writableApp.parse(body);
  const { kind: _k, id: _i, redirectUri: _r, revision: _v, createdAt: _c, updatedAt: _u, warnings: _w, workspace: named, ...spec } = parsed;
  if (named !== undefined && named !== workspace) throw refused([{ pointer: '/workspace', detail: 'is not the workspace of this URL', code: 'workspace_mismatch' }]);
  const { document, secrets: written } = takeSecrets(spec);
  const secrets = planSecrets(document, written, storedSecrets);
  const complete: AppDocument = parseDocument(completeApp, withPlannedSecrets(document, secrets));
  const resolution = resolveApp(complete, catalog);
  if ('problems' in resolution) throw refused(resolution.problems);
  return { name: spec.name, document, secrets, app: resolution.app };
}

const refused = (problems: readonly Problem[]): GatewayError => new GatewayError('validation_failed', { problems });
