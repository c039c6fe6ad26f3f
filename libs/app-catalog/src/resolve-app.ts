import type { Problem } from '@gatehouse/errors';
import type { AppDocument } from '@gatehouse/gateway-config';
import type { CatalogEntry } from './catalog-entry.ts';
import type { ResolvedApp } from './resolved-app.ts';
import { fillIn, variableProblems } from './variables.ts';

/** What `resolveApp` reads of a document; the secret may be left out where only the rest matters. */
export type AppDefinition = Omit<AppDocument, 'name' | 'title'>;

export type AppResolution = { readonly app: ResolvedApp } | { readonly problems: readonly Problem[] };

/** Puts an app and what the catalogue says of its provider together, or says what is missing, by pointer. Pure. */
export function resolveApp(app: AppDefinition, catalog: ReadonlyMap<string, CatalogEntry>): AppResolution {
  const entry = app.provider === undefined ? undefined : catalog.get(app.provider);
  if (app.provider !== undefined && !entry) return { problems: [problem('/provider', 'is not in the catalogue (/v1/catalog)', 'unknown_provider')] };
  const problems = [...(entry ? variableProblems(entry.variables, app.variables) : withoutProvider(app)), ...clientProblems(app, entry)];
  if (problems.length > 0) return { problems };

  const url = (own: string | undefined, template: string | undefined): string | undefined => own ?? (template && entry ? fillIn(template, entry.variables, app.variables) : undefined);
  // Without a provider both are there: `withoutProvider` has seen to it.
  const tokenUrl = url(app.tokenUrl, entry?.tokenUrl) ?? '';
  return {
    app: {
      issuer: url(app.issuer, entry?.issuer),
      authorizationUrl: url(app.authorizationUrl, entry?.authorizationUrl) ?? '',
      tokenUrl,
      // A token URL of the document's own is for everything.
      refreshUrl: app.tokenUrl === undefined ? (url(undefined, entry?.refreshUrl) ?? tokenUrl) : tokenUrl,
      revocationUrl: url(app.revocationUrl, entry?.revocationUrl),
      clientId: app.clientId,
      clientSecret: app.clientSecret,
      clientAuth: clientAuthOf(app, entry),
      scopes: [...new Set([...(app.scopes ?? entry?.scopes.default ?? []), ...(entry?.scopes.always ?? [])])],
      scopeSeparator: entry?.scopes.separator ?? ' ',
      scopeParameter: entry?.scopes.parameter ?? 'scope',
      pkce: app.pkce ?? entry?.pkce !== 'unsupported',
      authorizationParameters: { ...entry?.authorizationParameters, ...app.extraParameters },
      tokenParameters: { ...entry?.tokenParameters },
      tokenRequest: entry?.tokenRequest ?? 'form',
      resource: undefined,
      refresh: refreshOf(entry),
      ...(entry?.tokensAt !== undefined && { tokensAt: entry.tokensAt }),
      // A URL of the document's own is by RFC 7009, whatever the provider has besides.
      revocation: app.revocationUrl !== undefined ? 'rfc7009' : (entry?.revocation ?? 'none'),
    },
  };
}

function withoutProvider(app: AppDefinition): Problem[] {
  const missing = (['authorizationUrl', 'tokenUrl'] as const).filter((field) => app[field] === undefined);
  const problems = missing.map((field) => problem(`/${field}`, 'is required where no provider of the catalogue is named', 'required'));
  return app.variables === undefined ? problems : [...problems, problem('/variables', 'are of a provider, and none is named', 'invalid_value')];
}

function clientProblems(app: AppDefinition, entry: CatalogEntry | undefined): Problem[] {
  const problems: Problem[] = [];
  const { clientAuth, clientSecret } = app;
  if (clientAuth !== undefined && clientAuth !== 'none' && clientSecret === undefined) problems.push(problem('/clientSecret', 'is required for this clientAuth', 'required'));
  if (clientAuth === 'none' && clientSecret !== undefined) problems.push(problem('/clientAuth', 'must be basic or post where there is a client secret', 'invalid_value'));
  if (app.pkce === false && entry?.pkce === 'required') problems.push(problem('/pkce', 'is required by this provider', 'invalid_value'));
  // RFC 9700 section 2.1.1: without a secret PKCE is what binds a code to who asked for it.
  if (app.pkce === false && clientSecret === undefined) problems.push(problem('/pkce', 'is required of a client without a secret', 'invalid_value'));
  return problems;
}

/** RFC 6749 section 2.3.1: every server takes a secret by HTTP Basic, unless the catalogue knows better. */
function clientAuthOf({ clientAuth, clientSecret }: AppDefinition, entry: CatalogEntry | undefined): ResolvedApp['clientAuth'] {
  if (clientAuth !== undefined) return clientAuth;
  if (clientSecret === undefined) return 'none';
  return entry?.clientAuth.find((way) => way !== 'none') ?? 'basic';
}

function refreshOf(entry: CatalogEntry | undefined): ResolvedApp['refresh'] {
  const { rotates = true, idleDays, reuseSeconds } = entry?.refresh ?? {};
  return { rotates, ...(idleDays !== undefined && { idleDays }), ...(reuseSeconds !== undefined && { reuseSeconds }) };
}

const problem = (pointer: string, detail: string, code: string): Problem => ({ pointer, detail, code });
