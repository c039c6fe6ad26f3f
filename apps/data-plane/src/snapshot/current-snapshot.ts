import { createHash } from 'node:crypto';
import type { AuthorizationServerRecord, ServiceAccountRecord } from '@gatehouse/agent-auth';
import type { IdentitySigner } from '@gatehouse/app-auth';
import { type GlobalHeaderPolicy, type RevocationsDocument, unknownGlobalPolicy, type WorkspaceMembers } from '@gatehouse/gateway-config';
import type { ChannelDocument, ChannelState } from '@gatehouse/snapshot-channel';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { ShardedMap } from './sharded-map.ts';

/** A document that passed every check, with what was made of it. */
export type PreparedDocument =
  | { readonly kind: 'server'; readonly source: ChannelDocument; readonly server: PreparedServer }
  | { readonly kind: 'header-policy'; readonly source: ChannelDocument; readonly policy: GlobalHeaderPolicy }
  | { readonly kind: 'authorization-server'; readonly source: ChannelDocument; readonly server: PreparedAuthorizationServer }
  | { readonly kind: 'identity-keys'; readonly source: ChannelDocument; readonly signer: IdentitySigner }
  | { readonly kind: 'revocations'; readonly source: ChannelDocument; readonly revoked: RevocationsDocument['revoked'] }
  | { readonly kind: 'service-account'; readonly source: ChannelDocument; readonly account: ServiceAccountRecord }
  | { readonly kind: 'workspace'; readonly source: ChannelDocument; readonly workspace: PreparedWorkspace };

export interface PreparedWorkspace {
  readonly id: string;
  readonly name: string;
  readonly members: WorkspaceMembers;
}

export interface PreparedAuthorizationServer extends AuthorizationServerRecord {
  /** Whether clients may register themselves. */
  readonly registersClients: boolean;
  /** Equal where issuer and keys are. */
  readonly fingerprint: string;
}

/** Everything a data plane serves from, of one revision. Immutable: a request holds one from its first stage to its last. */
export interface Snapshot {
  readonly state: ChannelState;
  readonly documents: ShardedMap<PreparedDocument>;
  /** By name. */
  readonly workspaces: ShardedMap<PreparedWorkspace>;
  readonly servers: ShardedMap<PreparedServer>;
  readonly serviceAccounts: ShardedMap<ServiceAccountRecord>;
  readonly headerPolicy: GlobalHeaderPolicy;
  /** Whose access tokens interactive servers take. */
  readonly authorizationServer: PreparedAuthorizationServer | undefined;
  /** Signs who calls, for upstreams. */
  readonly identity: IdentitySigner | undefined;
  /** Ids whose newest version could not be used: what is here of them, if anything, is an older one. */
  readonly rejected: readonly string[];
  /** Of ids and hashes of all documents; equal hashes serve the same. */
  readonly hash: string;
}

export interface SnapshotChange {
  readonly state: ChannelState;
  readonly prepared: readonly PreparedDocument[];
  readonly removed: readonly string[];
  /** All of them, not only those of this change. */
  readonly rejected?: readonly string[];
}

export const serverKey = (workspace: string, name: string): string => `${workspace}/${name}`;

export function emptySnapshot(state: ChannelState): Snapshot {
  return {
    state,
    documents: ShardedMap.empty(),
    workspaces: ShardedMap.empty(),
    servers: ShardedMap.empty(),
    serviceAccounts: ShardedMap.empty(),
    headerPolicy: unknownGlobalPolicy,
    authorizationServer: undefined,
    identity: undefined,
    rejected: [],
    hash: '0'.repeat(64),
  };
}

/** A new snapshot with a change applied; the old one stays as it is for whoever holds it. */
export function applyChange(snapshot: Snapshot, { state, prepared, removed, rejected = [] }: SnapshotChange): Snapshot {
  const replaced = [...removed, ...prepared.map(({ source }) => source.id)].flatMap((id) => snapshot.documents.get(id) ?? []);
  return {
    state,
    documents: snapshot.documents.with([...removed.map((id) => [id, undefined] as const), ...prepared.map((document) => [document.source.id, document] as const)]),
    workspaces: snapshot.workspaces.with([...replaced.flatMap((old) => withoutWorkspace(snapshot, old)), ...prepared.flatMap(workspaceEntry)]),
    // What is replaced goes first: two servers may have changed names with each other.
    servers: snapshot.servers.with([...replaced.flatMap((old) => withoutServer(snapshot, old)), ...prepared.flatMap(serverEntry)]),
    serviceAccounts: snapshot.serviceAccounts.with([...replaced.flatMap((old) => withoutAccount(snapshot, old)), ...prepared.flatMap(accountEntry)]),
    headerPolicy: headerPolicyAfter(snapshot, prepared, replaced),
    authorizationServer: authorizationServerAfter(snapshot, prepared, replaced),
    identity: identityAfter(snapshot, prepared, replaced),
    rejected,
    hash: [...replaced, ...prepared].reduce((hash, { source }) => xorHex(hash, digest(source)), snapshot.hash),
  };
}

function workspaceEntry(document: PreparedDocument): (readonly [string, PreparedWorkspace])[] {
  return document.kind === 'workspace' ? [[document.workspace.name, document.workspace]] : [];
}

function serverEntry(document: PreparedDocument): (readonly [string, PreparedServer])[] {
  return document.kind === 'server' ? [[serverKey(document.server.workspace, document.server.name), document.server]] : [];
}

function accountEntry(document: PreparedDocument): (readonly [string, ServiceAccountRecord])[] {
  return document.kind === 'service-account' ? [[document.account.keyId, document.account]] : [];
}

// Only what is the document's own goes with it: while its newer version was rejected, another one may have taken its old name.
function withoutServer({ servers }: Snapshot, document: PreparedDocument): (readonly [string, undefined])[] {
  return serverEntry(document).flatMap(([key, { id }]) => (servers.get(key)?.id === id ? [[key, undefined]] : []));
}

function withoutWorkspace({ workspaces }: Snapshot, document: PreparedDocument): (readonly [string, undefined])[] {
  return workspaceEntry(document).flatMap(([key, { id }]) => (workspaces.get(key)?.id === id ? [[key, undefined]] : []));
}

function withoutAccount({ serviceAccounts }: Snapshot, document: PreparedDocument): (readonly [string, undefined])[] {
  return accountEntry(document).flatMap(([key, { id }]) => (serviceAccounts.get(key)?.id === id ? [[key, undefined]] : []));
}

function headerPolicyAfter({ headerPolicy }: Snapshot, prepared: readonly PreparedDocument[], replaced: readonly PreparedDocument[]): GlobalHeaderPolicy {
  const next = prepared.findLast((document) => document.kind === 'header-policy');
  if (next !== undefined) return next.policy;
  return replaced.some(({ kind }) => kind === 'header-policy') ? unknownGlobalPolicy : headerPolicy;
}

function authorizationServerAfter({ authorizationServer: current }: Snapshot, prepared: readonly PreparedDocument[], replaced: readonly PreparedDocument[]): PreparedAuthorizationServer | undefined {
  const next = prepared.findLast((document) => document.kind === 'authorization-server')?.server;
  if (next === undefined) return replaced.some(({ kind }) => kind === 'authorization-server') ? undefined : current;
  // A revocation is one more revision: tokens that were verified need not be verified again for it.
  return current?.fingerprint === next.fingerprint ? { ...next, keys: current.keys } : next;
}

function identityAfter({ identity }: Snapshot, prepared: readonly PreparedDocument[], replaced: readonly PreparedDocument[]): IdentitySigner | undefined {
  const next = prepared.findLast((document) => document.kind === 'identity-keys');
  if (next !== undefined) return next.signer;
  return replaced.some(({ kind }) => kind === 'identity-keys') ? undefined : identity;
}

// Exclusive or over the documents' digests: adding or removing one costs the same for any number of documents.
const digest = ({ id, hash }: ChannelDocument): string => createHash('sha256').update(`${id}\0${hash}`).digest('hex');
function xorHex(left: string, right: string): string {
  const bytes = Buffer.from(left, 'hex');
  Buffer.from(right, 'hex').forEach((byte, index) => (bytes[index] = (bytes[index] as number) ^ byte));
  return bytes.toString('hex');
}
