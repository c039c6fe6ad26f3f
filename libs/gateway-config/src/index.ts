export { type Access, type AccessEntry, AccessRules, type WorkspaceAccess, WorkspaceMembers } from './access-rules.ts';
export { type AppDocument, completeApp, type ReadableApp, readableApp, writableApp } from './app-document.ts';
export { type AuthorizationServerDocument, authorizationServerId, type PublicSigningKey } from './authorization-server-document.ts';
export { authorizationServerMetadata } from './authorization-server-metadata.ts';
export { compileDocument, openDocument, type SnapshotKeys } from './compile-snapshot.ts';
export { type CredentialScope, credentialValue, type ReadableCredential, readableCredential, writableCredential } from './credential-document.ts';
export {
  completeIdentityProvider,
  type IdentityProviderDocument,
  type ReadableIdentityProvider,
  readableIdentityProvider,
  writableIdentityProvider,
} from './identity-provider-document.ts';
export { type IdentityKeysDocument, identityKeysId } from './identity-keys-document.ts';
export { type RevocationsDocument, revocationsId } from './revocations-document.ts';
export {
  completeServer,
  completeServerTypes,
  type ReadableServer,
  readableServer,
  readableServerFields,
  type ReadableUpstreamServer,
  type ServerDocument,
  type ServerType,
  type UpstreamServerDocument,
  type VirtualServerDocument,
  writableServer,
  writableServerFor,
  writableServerTypes,
} from './server-document.ts';
export {
  issuedServiceAccount,
  type ReadableServiceAccount,
  readableServiceAccount,
  writableServiceAccount,
} from './service-account-document.ts';
export {
  headerPolicyId,
  isUnreadable,
  type PlainSnapshotDocument,
  type SealedDocument,
  type SnapshotDocument,
  snapshotDocument,
  type UnreadableDocument,
} from './snapshot.ts';
export { snapshotKeysOf } from './snapshot-keys.ts';
export {
  type GlobalHeaderPolicy,
  globalHeaderPolicy,
  type ReadableHeaderPolicy,
  readableHeaderPolicy,
  type ServerHeaderPolicy,
  type StoredHeaderPolicy,
  storedHeaderPolicy,
  writableHeaderPolicy,
} from './header-policy-document.ts';
export { type VirtualMember } from './virtual-members.ts';
export { defaultMaxValueBytes, neverPasses } from './header-policy-fields.ts';
export { type EnvironmentPolicy, mappingRule, noGlobalPolicy, resolveGlobalPolicy, unknownGlobalPolicy } from './resolve-global-policy.ts';
export { isKeptSource, type KeptSource, keptSourceIn, keptSourceOf, takeSource, textOfSource, type ToolsSource, toolsSource, withSource } from './tools-source.ts';
export { type Warning } from './warning.ts';
export { type ReadableWorkspace, readableWorkspace, writableWorkspace } from './workspace-document.ts';
