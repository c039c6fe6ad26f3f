import { z } from 'zod';
import { authorizationServerDocument } from './authorization-server-document.ts';
import { globalHeaderPolicy } from './header-policy-document.ts';
import { identityKeysDocument } from './identity-keys-document.ts';
import { revocationsDocument } from './revocations-document.ts';
import { completeServer } from './server-document.ts';
import { workspaceSnapshot } from './workspace-document.ts';

/** One document of a snapshot: a server with everything resolved, a service account's verifier, the global header policy, what verifies access tokens, what signs callers' identities, or what of upstreams' tokens was revoked. */
export const snapshotDocument = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('server'), id: z.string(), workspace: z.string(), server: completeServer }),
  z.strictObject({ kind: z.literal('header-policy'), id: z.string(), policy: globalHeaderPolicy }),
  authorizationServerDocument,
  revocationsDocument,
  identityKeysDocument,
  z.strictObject({
    kind: z.literal('service-account'),
    id: z.string(),
    workspace: z.string(),
    name: z.string(),
    groups: z.array(z.string()),
    keyId: z.string(),
    keyHash: z.string(),
  }),
  workspaceSnapshot,
]);

/**
 * Stands for a document that exists and that the control plane cannot open. Data planes reject it, as they reject anything they
 * cannot use: one that has an earlier version serves that on, and each of them reports it. Left out of the index, the document
 * would be one that was removed.
 */
export interface UnreadableDocument {
  readonly kind: 'unreadable';
  readonly id: string;
}

export const isUnreadable = (document: unknown): document is UnreadableDocument =>
  typeof document === 'object' && document !== null && 'kind' in document && document.kind === 'unreadable';

/** The id of the one document of kind `header-policy`. */
export const headerPolicyId = '00000000-0000-7000-8000-000000000001';

export type SnapshotDocument = z.output<typeof snapshotDocument>;
/** A document as JSON: its secrets are plain text. It exists only between opening one seal and making another. */
export type PlainSnapshotDocument = z.input<typeof snapshotDocument>;

/** A document as it travels and rests: sealed under the snapshot key, with the hash of what is inside. */
export interface SealedDocument {
  readonly id: string;
  /** SHA-256 (base64url) over id and plaintext, keyed, so that equal hashes say "equal" and nothing else. */
  readonly hash: string;
  readonly sealed: Buffer;
}
