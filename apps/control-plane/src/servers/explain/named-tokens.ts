import type { AccessToken, TokenSource } from '@gatehouse/access-tokens';
import { Secret } from '@gatehouse/sealing';

/** Stands where a token would: short, so that of what is shown nothing looks like the end of one. */
export const named: AccessToken = { value: new Secret('token'), expiresAt: undefined, subjects: [] };

/** Nothing is fetched to explain a request; who calls counts all the same, as it does when tokens are obtained. */
export const namedTokens: TokenSource = { ofConnection: () => named, ofClient: () => named, ofLogin: () => named, ofCredential: () => named, ofExchange: () => named };
