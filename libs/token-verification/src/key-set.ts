import type { PublicKeys } from './public-keys.ts';

/** Where the keys come from that tokens are verified with. */
export interface KeySet {
  /** The keys to verify with now, or undefined where they have to be waited for. Costs nothing where nothing is due. */
  readonly current: () => PublicKeys | undefined;
  /** @throws GatewayError caller_keys_unavailable */
  readonly load: () => Promise<PublicKeys>;
  /** For a token that none of these keys has signed: newer ones, or the same where there are none or asking again is not due. */
  readonly newerThan: (keys: PublicKeys) => Promise<PublicKeys>;
}

/** Keys that are part of the configuration. */
export const fixedKeySet = (keys: PublicKeys): KeySet => ({
  current: () => keys,
  load: () => Promise.resolve(keys),
  newerThan: () => Promise.resolve(keys),
});
