/** A header to begin with, for one need: what is filled in already, and what is still to be said. */
export interface OutboundHeaderRecipe {
  readonly id: string;
  readonly title: string;
  /** When to take it, and what it does. */
  readonly description: string;
  /** Of a document's `outboundHeaders`, without what only its author knows. */
  readonly header: { readonly prefix?: string; readonly name?: string; readonly source: { readonly type: string; readonly [field: string]: unknown } };
  /** In the order in which they are asked for. Titles and widgets are in the schema of the source. */
  readonly fields: readonly RecipeField[];
}

export interface RecipeField {
  /** Within the header, RFC 6901. */
  readonly pointer: string;
  readonly required: boolean;
  readonly example: unknown;
}

const required = (pointer: string, example: unknown): RecipeField => ({ pointer, required: true, example });
const optional = (pointer: string, example: unknown): RecipeField => ({ pointer, required: false, example });

/** The common patterns of a second credential, the custom one last. */
export const outboundHeaderRecipes: readonly OutboundHeaderRecipe[] = [
  {
    id: 'service-token',
    title: 'OAuth2 service token',
    description: 'The upstream needs an OAuth token of a service. It is fetched with client credentials, renewed before it ends, and the same for all callers.',
    header: { prefix: 'Bearer', source: { type: 'service-token' } },
    fields: [
      required('/name', 'X-Service-Authorization'),
      required('/source/tokenUrl', 'https://login.example/oauth/token'),
      required('/source/clientId', 'gatehouse'),
      required('/source/clientSecret', 'the-client-secret'),
      optional('/source/scopes', ['orders.read']),
    ],
  },
  {
    id: 'caller-token',
    title: 'Forward caller’s token',
    description: 'The upstream wants to see the user’s own token. It is that of their login at the identity provider, or the one that they came with where the server validates it.',
    header: { prefix: 'Bearer', source: { type: 'caller-token' } },
    fields: [required('/name', 'X-User-Authorization'), optional('/source/from', 'identity-provider')],
  },
  {
    id: 'on-behalf-of',
    title: 'On behalf of caller',
    description: 'The upstream wants a token for the user, and takes only those of another provider than the one that they log in at. The user’s token is exchanged there.',
    header: { prefix: 'Bearer', source: { type: 'on-behalf-of' } },
    fields: [
      required('/name', 'X-User-Authorization'),
      required('/source/tokenUrl', 'https://id.orders.example/token'),
      required('/source/clientId', 'gatehouse'),
      required('/source/clientSecret', 'the-client-secret'),
      optional('/source/audience', 'https://api.orders.example'),
      optional('/source/scopes', ['orders.read']),
    ],
  },
  {
    id: 'credential',
    title: 'Stored API key / credential',
    description: 'A key or token is in the vault already: one of the workspace for all callers, or one of each user, who is asked for it when it is missing.',
    header: { source: { type: 'credential', scope: 'workspace' } },
    fields: [required('/name', 'X-API-Key'), required('/source/name', 'search-key'), optional('/source/scope', 'user')],
  },
  {
    id: 'caller-identity',
    title: 'Pass caller identity',
    description: 'The upstream needs the user’s id or email address in a header, as they are known from their login. Who can reach the upstream without the gateway can write it too; signed: true in place of the claim is for that.',
    header: { name: 'X-User-Email', source: { type: 'caller-identity', claim: 'email' } },
    fields: [optional('/name', 'X-User-Id'), optional('/source/claim', 'sub')],
  },
  {
    id: 'custom',
    title: 'Custom header',
    description: 'None of the others fits: a name and a fixed value, which is kept as a secret. Any other source can take its place.',
    header: { source: { type: 'static' } },
    fields: [required('/name', 'X-Tenant'), optional('/prefix', 'Key'), required('/source/value', 'acme')],
  },
];
