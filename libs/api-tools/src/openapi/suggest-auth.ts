import { isObject, type JsonObject, listOf, objectOf, own, textOf } from '../json-value.ts';
import type { References } from './references.ts';
import { Unusable } from './unusable.ts';

/** App authentication that fits a document’s security scheme: what the document knows of it, secrets and clients left to fill in. */
export interface SuggestedAuth {
  /** The scheme’s name in the document. */
  readonly scheme: string;
  readonly description?: string;
  readonly appAuth:
    | { readonly type: 'api-key'; readonly name: string; readonly in: 'header' | 'query' }
    | { readonly type: 'bearer' | 'basic' }
    | { readonly type: 'oauth-client-credentials'; readonly tokenUrl: string; readonly scopes: readonly string[] }
    | { readonly type: 'oauth-authorization-code'; readonly authorizationUrl?: string; readonly tokenUrl?: string; readonly issuer?: string; readonly scopes: readonly string[] };
}

const maxSchemes = 50;
const maxScopes = 200;

/** Those that the document asks for everywhere come first. */
export function suggestAuth(document: JsonObject, references: References): SuggestedAuth[] {
  const schemes = Object.entries(objectOf(own(objectOf(own(document, 'components')), 'securitySchemes'))).slice(0, maxSchemes);
  const asked = new Map(listOf(own(document, 'security')).flatMap((entry) => Object.entries(objectOf(entry)).map(([name, scopes]) => [name, listOf(scopes)] as const)));
  return schemes
    .sort(([a], [b]) => Number(asked.has(b)) - Number(asked.has(a)))
    .flatMap(([name, entry]) => suggestionsOf(name, read(entry, references), asked.get(name) ?? []));
}

/** `in:name` of each credential that a document’s schemes send as a parameter. */
export const credentialParameters = (suggestions: readonly SuggestedAuth[]): ReadonlySet<string> =>
  new Set(suggestions.flatMap(({ appAuth }) => (appAuth.type === 'api-key' ? (appAuth.in === 'header' ? `header:${appAuth.name}`.toLowerCase() : `query:${appAuth.name}`) : [])));

function read(entry: unknown, references: References): JsonObject {
  try {
    return objectOf(references.follow({ value: entry, pointer: '/components/securitySchemes' }).value);
  } catch (error) {
    if (error instanceof Unusable) return {};
    throw error;
  }
}

function suggestionsOf(scheme: string, value: JsonObject, asked: readonly unknown[]): SuggestedAuth[] {
  const description = textOf(own(value, 'description'))?.slice(0, 1_000);
  const suggest = (appAuth: SuggestedAuth['appAuth']): SuggestedAuth => ({ scheme, ...(description === undefined ? {} : { description }), appAuth });
  const name = textOf(own(value, 'name'));
  const place = own(value, 'in');
  switch (own(value, 'type')) {
    case 'apiKey':
      // How Swagger 2.0, which has no bearer tokens, writes them.
      if (place === 'header' && name?.toLowerCase() === 'authorization') return [suggest({ type: 'bearer' })];
      return name !== undefined && (place === 'header' || place === 'query') ? [suggest({ type: 'api-key', name, in: place })] : [];
    case 'http': {
      const kind = String(own(value, 'scheme')).toLowerCase();
      return kind === 'bearer' || kind === 'basic' ? [suggest({ type: kind })] : [];
    }
    case 'oauth2':
      return flowsOf(objectOf(own(value, 'flows')), asked).map(suggest);
    case 'openIdConnect': {
      const issuer = textOf(own(value, 'openIdConnectUrl'))?.replace(/\/\.well-known\/openid-configuration$/, '');
      return [suggest({ type: 'oauth-authorization-code', ...(issuer === undefined ? {} : { issuer }), scopes: texts(asked) })];
    }
    default:
      return [];
  }
}

function flowsOf(flows: JsonObject, asked: readonly unknown[]): SuggestedAuth['appAuth'][] {
  const scopesOf = (flow: JsonObject): readonly string[] => (asked.length > 0 ? texts(asked) : Object.keys(objectOf(own(flow, 'scopes'))).slice(0, maxScopes));
  const suggestions: SuggestedAuth['appAuth'][] = [];
  const code = own(flows, 'authorizationCode') ?? own(flows, 'implicit');
  if (isObject(code)) {
    const authorizationUrl = textOf(own(code, 'authorizationUrl'));
    const tokenUrl = textOf(own(code, 'tokenUrl'));
    suggestions.push({ type: 'oauth-authorization-code', ...(authorizationUrl === undefined ? {} : { authorizationUrl }), ...(tokenUrl === undefined ? {} : { tokenUrl }), scopes: scopesOf(code) });
  }
  const client = own(flows, 'clientCredentials');
  const tokenUrl = isObject(client) ? textOf(own(client, 'tokenUrl')) : undefined;
  if (isObject(client) && tokenUrl !== undefined) suggestions.push({ type: 'oauth-client-credentials', tokenUrl, scopes: scopesOf(client) });
  return suggestions;
}

const texts = (values: readonly unknown[]): readonly string[] => values.filter((value): value is string => typeof value === 'string').slice(0, maxScopes);
