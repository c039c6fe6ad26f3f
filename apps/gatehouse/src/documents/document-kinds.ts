import type { plainMessage } from '@gatehouse/config-fields';
import { writableApp, writableCredential, writableHeaderPolicy, writableIdentityProvider, writableServerFor, writableServiceAccount, writableWorkspace } from '@gatehouse/gateway-config';

type Json = Readonly<Record<string, unknown>>;

/** Of a zod schema, only what checking a document takes. */
interface DocumentSchema {
  safeParse(value: unknown, options: { readonly error: typeof plainMessage }): { readonly success: boolean; readonly data?: unknown; readonly error?: { readonly issues: readonly Issue[] } | undefined };
}

export interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
}

/** One kind of document: how it is checked, and where it is kept. In the order in which kinds depend on each other. */
export interface DocumentKind {
  readonly kind: string;
  readonly schema: DocumentSchema;
  readonly isInWorkspace: boolean;
  /** There is one of it: it has no name, and its collection is itself. */
  readonly isSingle?: boolean;
  collection(workspace: string): string;
  /** What the gateway keeps where a document says nothing. */
  defaults(document: Json): Json;
}

const inWorkspace = (workspace: string, collection: string): string => `/v1/workspaces/${encodeURIComponent(workspace)}/${collection}`;

export const documentKinds: readonly DocumentKind[] = [
  {
    kind: 'HeaderPolicy',
    schema: writableHeaderPolicy,
    isInWorkspace: false,
    isSingle: true,
    collection: () => '/v1/header-policy',
    defaults: () => ({ enabled: true }),
  },
  {
    kind: 'IdentityProvider',
    schema: writableIdentityProvider,
    isInWorkspace: false,
    collection: () => '/v1/identity-providers',
    defaults: () => ({ enabled: true }),
  },
  {
    kind: 'Workspace',
    schema: writableWorkspace,
    isInWorkspace: false,
    collection: () => '/v1/workspaces',
    defaults: () => ({}),
  },
  {
    kind: 'ServiceAccount',
    schema: writableServiceAccount,
    isInWorkspace: true,
    collection: (workspace) => inWorkspace(workspace, 'service-accounts'),
    defaults: () => ({ groups: [] }),
  },
  {
    kind: 'App',
    schema: writableApp,
    isInWorkspace: true,
    collection: (workspace) => inWorkspace(workspace, 'apps'),
    defaults: () => ({}),
  },
  {
    kind: 'Credential',
    schema: writableCredential,
    isInWorkspace: true,
    collection: (workspace) => inWorkspace(workspace, 'credentials'),
    defaults: () => ({}),
  },
  {
    kind: 'Server',
    schema: { safeParse: (value, options) => writableServerFor(value).safeParse(value, options) },
    isInWorkspace: true,
    collection: (workspace) => inWorkspace(workspace, 'servers'),
    defaults: ({ type }) => ({ enabled: true, ...(type !== 'virtual' && { appAuth: { type: 'none' } }) }),
  },
];

/** What reading adds to a document; it is no part of what somebody wrote. */
export const readOnlyFields: ReadonlySet<string> = new Set(['kind', 'workspace', 'id', 'url', 'revision', 'createdAt', 'updatedAt', 'warnings', 'effective', 'keyId', 'redirectUri']);
