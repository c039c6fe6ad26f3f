import { GatewayError } from '@gatehouse/errors';
import { type AddressKind, classifyAddress, unmapped } from './classify-address.ts';
import { type AddressRange, isInRange, parseAddressRange, parseIpAddress } from './ip-address.ts';

export interface AddressGuardOptions {
  /**
   * What may be connected to besides public addresses: CIDR blocks (`10.20.0.0/16`, `fd00::/8`), single addresses, and the
   * words `loopback`, `private` (RFC 1918, CGNAT, unique local) and `all`. A cloud's metadata address is allowed only by
   * naming that one address, or by `all`.
   */
  readonly allowedRanges: readonly string[];
}

/** Decides whether a connection to a resolved address may be made. */
export interface AddressGuard {
  allows(address: string): boolean;
  /** @throws GatewayError `upstream_address_refused`. `host` is the name that resolved to the address, for the log. */
  assertAllowed(address: string, host?: string): void;
}

const words: Readonly<Record<string, readonly AddressKind[]>> = { loopback: ['loopback'], private: ['private'] };

/** Whether a text may stand in `allowedRanges`. */
export const isAllowedRange = (text: string): boolean => text === 'all' || Object.hasOwn(words, text) || parseAddressRange(text) !== undefined;

/** @throws TypeError naming what in `allowedRanges` is no range. */
export function createAddressGuard({ allowedRanges }: AddressGuardOptions): AddressGuard {
  const wrong = allowedRanges.find((text) => !isAllowedRange(text));
  if (wrong !== undefined) throw new TypeError(`not an address range: ${wrong}`);
  const allowsAll = allowedRanges.includes('all');
  const allowedKinds = new Set<AddressKind>(['public', ...allowedRanges.flatMap((text) => words[text] ?? [])]);
  const allowedBlocks = allowedRanges.map(parseAddressRange).filter((range) => range !== undefined);

  const allowsBytes = (address: Uint8Array): boolean => {
    if (allowsAll) return true;
    const kind = classifyAddress(address);
    if (allowedKinds.has(kind)) return true;
    const bytes = unmapped(address);
    return allowedBlocks.some((range) => isInRange(bytes, range) && (kind !== 'metadata' || isSingle(range)));
  };

  return {
    allows(address) {
      const bytes = parseIpAddress(address);
      return bytes !== undefined && allowsBytes(bytes);
    },
    assertAllowed(address, host) {
      const bytes = parseIpAddress(address);
      if (bytes && allowsBytes(bytes)) return;
      const what = bytes ? `${classifyAddress(bytes)} address ${address}` : 'something that is no IP address';
      throw new GatewayError('upstream_address_refused', { detail: host && host !== address ? `${host} resolves to the ${what}` : `the ${what}` });
    },
  };
}

const isSingle = ({ bytes, prefixLength }: AddressRange): boolean => prefixLength === bytes.length * 8;
