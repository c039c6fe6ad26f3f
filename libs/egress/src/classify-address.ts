import { type AddressRange, isInRange, parseAddressRange } from './ip-address.ts';

/** What an address is for; only `public` ones may be connected to without being allowed. */
export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local' | 'metadata' | 'multicast' | 'unspecified' | 'reserved' | 'embedded';

const ranges = (...texts: string[]): AddressRange[] =>
  texts.map((text) => {
    const range = parseAddressRange(text);
    if (!range) throw new TypeError(`not an address range: ${text}`);
    return range;
  });

/** In order: the first that matches decides. From IANA's special-purpose registries (RFC 6890) and the clouds' own pages. */
const kinds: readonly (readonly [AddressKind, readonly AddressRange[]])[] = [
  // Where a cloud hands its workloads their credentials: AWS, GCP, Azure and most others; ECS; EKS; Alibaba; Oracle; Azure's wire server.
  ['metadata', ranges('169.254.169.254', '169.254.170.2', '169.254.170.23', '100.100.100.200', '192.0.0.192', '168.63.129.16')],
  ['metadata', ranges('fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fe80::a9fe:a9fe')],
  ['unspecified', ranges('0.0.0.0/8', '::/128')],
  ['loopback', ranges('127.0.0.0/8', '::1/128')],
  ['private', ranges('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10')],
  ['link-local', ranges('169.254.0.0/16', 'fe80::/10')],
  ['multicast', ranges('224.0.0.0/4', 'ff00::/8')],
  // Protocol assignments, documentation, 6to4 relays, benchmarks, future use and broadcast.
  ['reserved', ranges('192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4')],
  // Teredo (2001::/32, whose embedded client is XORed), ORCHID, benchmarks and the rest of 2001::/23 reach no web server.
  ['reserved', ranges('2001::/23', '2001:db8::/32', '3fff::/20')],
];

const mapped = ranges('::ffff:0:0/96');
const nat64 = ranges('64:ff9b::/96');
const sixToFour = ranges('2002::/16');
const globalUnicast = ranges('2000::/3');

/** Decides on the bytes of an address, never on its text. */
export function classifyAddress(bytes: Uint8Array): AddressKind {
  if (isIn(bytes, mapped)) return classifyAddress(bytes.subarray(12));
  const listed = kinds.find(([, list]) => isIn(bytes, list));
  if (listed) return listed[0];
  if (bytes.length === 4) return 'public';
  const inside = embeddedIPv4(bytes);
  if (inside && classifyAddress(inside) !== 'public') return 'embedded';
  // Also refused here: IPv4-compatible ::/96, IPv4-translated ::ffff:0:0:0/96, local NAT64 64:ff9b:1::/48, discard 100::/64.
  return isIn(bytes, globalUnicast) || isIn(bytes, nat64) ? 'public' : 'reserved';
}

/** An address a v4-mapped one stands for, which is what the operating system connects to; any other as it is. */
export const unmapped = (bytes: Uint8Array): Uint8Array => (isIn(bytes, mapped) ? bytes.subarray(12) : bytes);

const isIn = (bytes: Uint8Array, list: readonly AddressRange[]): boolean => list.some((range) => isInRange(bytes, range));

/** The IPv4 address that a gateway on the way would take out of this one: NAT64 (RFC 6052), 6to4 (RFC 3056), ISATAP (RFC 5214). */
function embeddedIPv4(bytes: Uint8Array): Uint8Array | undefined {
  if (isIn(bytes, nat64)) return bytes.subarray(12);
  if (isIn(bytes, sixToFour)) return bytes.subarray(2, 6);
  const isIsatap = ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
  return isIsatap ? bytes.subarray(12) : undefined;
}
