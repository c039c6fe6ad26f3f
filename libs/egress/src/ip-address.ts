import { isIPv4, isIPv6 } from 'node:net';

/** The 4 or 16 bytes of an IP address, or nothing where the text is not one. A zone (`%eth0`) is left out. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return parseIPv4(text);
  return isIPv6(text) ? parseIPv6(text.split('%', 1)[0] ?? '') : undefined;
}

const parseIPv4 = (text: string): Uint8Array => Uint8Array.from(text.split('.'), Number);

/** Only for what `isIPv6` accepted: at most one `::`, groups of 1 to 4 hexadecimal digits, possibly a dotted tail. */
function parseIPv6(text: string): Uint8Array {
  const [head = '', tail] = text.split('::', 2);
  const front = groupBytes(head);
  const back = groupBytes(tail ?? '');
  const bytes = new Uint8Array(16);
  bytes.set(front, 0);
  bytes.set(back, 16 - back.length);
  return bytes;
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return [...parseIPv4(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** A block of addresses of one family. */
export interface AddressRange {
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
}

/** `10.0.0.0/8`, `fd00::/8` or a single address; nothing where it is none of these or has bits beyond its prefix. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = address.includes('%') ? undefined : parseIpAddress(address);
  if (!bytes || rest.length > 0) return undefined;
  if (length === undefined) return { bytes, prefixLength: bytes.length * 8 };
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bytes.length * 8) return undefined;
  const range = { bytes, prefixLength: Number(length) };
  return hasHostBits(range) ? undefined : range;
}

export function isInRange(address: Uint8Array, { bytes, prefixLength }: AddressRange): boolean {
  if (address.length !== bytes.length) return false;
  const whole = prefixLength >> 3;
  for (let index = 0; index < whole; index += 1) {
    if (address[index] !== bytes[index]) return false;
  }
  const mask = partialMask(prefixLength);
  return mask === 0 || ((address[whole] ?? 0) & mask) === ((bytes[whole] ?? 0) & mask);
}

const partialMask = (prefixLength: number): number => (0xff00 >> (prefixLength & 7)) & 0xff;

function hasHostBits({ bytes, prefixLength }: AddressRange): boolean {
  return bytes.some((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefixLength - index * 8));
    return (byte & (0xff >> bits)) !== 0;
  });
}
