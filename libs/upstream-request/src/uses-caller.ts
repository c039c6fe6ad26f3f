import type { CredentialKind } from '@gatehouse/app-auth';
import type { PreparedServer } from './prepared-server.ts';

/** What is somebody's own, or made for somebody. */
const ofSomebody: ReadonlySet<CredentialKind> = new Set(['connection', 'entered', 'exchanged', 'identity']);

/**
 * Whether what an upstream is sent depends on who the caller is: then it matters by which rules callers are told apart, also where
 * anybody is let in.
 */
export const usesCaller = ({ appAuth, outboundHeaders }: Pick<PreparedServer, 'appAuth' | 'outboundHeaders'>): boolean =>
  ofSomebody.has(appAuth.credentialKind) || outboundHeaders.some(({ credentialKind, source }) => ofSomebody.has(credentialKind) || source === 'caller-token');
