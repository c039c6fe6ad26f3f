export { compileDocument, openDocument, type SnapshotKeys } from './compile-snapshot.ts';
export { completeServer, type ReadableServer, readableServer, type ServerDocument, type Warning, writableServer } from './server-document.ts';
export {
  issuedServiceAccount,
  type ReadableServiceAccount,
  readableServiceAccount,
  writableServiceAccount,
} from './service-account-document.ts';
export {
  isUnreadable,
  type PlainSnapshotDocument,
  type SealedDocument,
  type SnapshotDocument,
  snapshotDocument,
  type UnreadableDocument,
} from './snapshot.ts';
export { snapshotKeysOf } from './snapshot-keys.ts';
