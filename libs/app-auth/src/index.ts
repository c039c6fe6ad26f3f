export { credentialKinds } from './app-auth-type.ts';
export type { Credential, CredentialKind, InsertedCredential, PreparedAppAuth, SignableRequest, SignedHeader, SigningCredential } from './app-auth-type.ts';
export type { CredentialContext, IdentityClaims, IdentitySigner } from './credential-context.ts';
export { credentialHeaderName, fitForHeader } from './credential-fields.ts';
export { toHeaderBytes } from './header-bytes.ts';
export { credentialSubject } from './credential-subject.ts';
export { insertCredentials } from './insert-credentials.ts';
export { type AppAuth, appAuthTypes, completeAppAuth, prepareAppAuth, readableAppAuth, writableAppAuth } from './registry.ts';
export { signaturesOf, signRequest, type UnsignedRequest } from './sign-request.ts';
