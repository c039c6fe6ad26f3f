import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatewayError, pointerOf } from '@gatehouse/errors';
import { isUnreadable, openDocument, snapshotDocument, type SnapshotKeys, WorkspaceMembers } from '@gatehouse/gateway-config';
import { IdentityKeys } from '@gatehouse/outbound-headers';
import { describeError } from '@gatehouse/service-runtime';
import type { ChannelDocument } from '@gatehouse/snapshot-channel';
import type { PreparedDocument } from './current-snapshot.ts';
import { prepareAuthorizationServer } from './prepare-authorization-server.ts';
import { prepareServer } from '@gatehouse/upstream-request';

export interface Reject {
  readonly id: string;
  readonly reason: string;
}

/** How many are prepared before calls get a turn again: some milliseconds. */
const documentsPerTurn = 100;

/** Opens, validates and compiles documents. One that fails is reported and left out; the others go on. */
export async function prepareDocuments(keys: SnapshotKeys, documents: readonly ChannelDocument[]): Promise<{ prepared: PreparedDocument[]; rejects: Reject[] }> {
  const prepared: PreparedDocument[] = [];
  const rejects: Reject[] = [];
  for (const [index, document] of documents.entries()) {
    if (index % documentsPerTurn === documentsPerTurn - 1) await nextTurn();
    try {
      prepared.push(prepareDocument(keys, document));
    } catch (error) {
      rejects.push({ id: document.id, reason: reasonOf(error) });
    }
  }
  return { prepared, rejects };
}

function prepareDocument(keys: SnapshotKeys, source: ChannelDocument): PreparedDocument {
  const opened = openDocument(keys, source);
  if (isUnreadable(opened)) throw new GatewayError('vault_sealed_value_unreadable', { detail: 'on the control plane' });
  const document = snapshotDocument.parse(opened);
  if (document.kind === 'server') return { kind: 'server', source, server: prepareServer(document.id, document.workspace, document.server) };
  if (document.kind === 'header-policy') return { kind: 'header-policy', source, policy: document.policy };
  if (document.kind === 'authorization-server') return { kind: 'authorization-server', source, server: prepareAuthorizationServer(document) };
  if (document.kind === 'identity-keys') return { kind: 'identity-keys', source, signer: new IdentityKeys({ issuer: document.issuer, keys: document.keys, now: Date.now }) };
  if (document.kind === 'revocations') return { kind: 'revocations', source, revoked: document.revoked };
  if (document.kind === 'workspace') return { kind: 'workspace', source, workspace: { id: document.id, name: document.name, members: new WorkspaceMembers(document.access) } };
  const { id, workspace, name, groups, keyId, keyHash } = document;
  return { kind: 'service-account', source, account: { id, workspace, name, groups, keyId, keyHash } };
}

/** Names what is wrong, never a value: zod's messages are ours, unsealing errors have a fixed text. */
function reasonOf(error: unknown): string {
  const { code, name } = describeError(error);
  if (error instanceof Error && 'issues' in error && Array.isArray(error.issues)) {
    return (error.issues as { path: PropertyKey[]; message: string }[]).map(({ path, message }) => `${pointerOf(path)} ${message}`).join('; ').slice(0, 500);
  }
  return code ?? name ?? 'unknown';
}
