import { type ReadableApp, readableApp, type Warning } from '@gatehouse/gateway-config';
import { withValues } from '../servers/plan-secrets.ts';
import type { StoredSecret } from '../vault/secrets.store.ts';
import { standingWarnings } from './app-warnings.ts';
import type { AppRow } from './apps.store.ts';
import type { Catalog } from './catalog.ts';

/** What has to be registered at the provider. One for each app, so that no answer of one provider is taken for another's (RFC 9700 section 4.4.2). */
export const redirectUriOf = (controlPlaneUrl: string, { workspace, name }: Pick<AppRow, 'workspace' | 'name'>): string => `${controlPlaneUrl}/connect/callback/${workspace}/${name}`;

export interface PresentContext {
  readonly controlPlaneUrl: string;
  readonly catalog: Catalog;
}

/** An app as it is read: of its secret only that it is set, and since when. */
export function presentApp(row: AppRow, secrets: readonly StoredSecret[], { controlPlaneUrl, catalog }: PresentContext, warnings: readonly Warning[] = []): ReadableApp {
  const marks = secrets.map(({ field, updatedAt }) => [field, { set: true, updatedAt: updatedAt.toISOString() }] as const);
  return readableApp.parse({
    kind: 'App',
    id: row.id,
    workspace: row.workspace,
    ...withValues(row.document, marks),
    redirectUri: redirectUriOf(controlPlaneUrl, row),
    revision: row.revision,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    warnings: [...standingWarnings(row.document, secrets.length > 0, catalog), ...warnings],
  });
}
