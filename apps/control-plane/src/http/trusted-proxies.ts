import { BlockList, isIP } from 'node:net';

const words: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10'],
  all: ['0.0.0.0/0', '::/0'],
};

/** Whose word about where a request comes from counts. What is left of the last untrusted address is that one's own claim. */
export function trustedProxies(ranges: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList();
  for (const range of ranges.flatMap((text) => words[text] ?? [text])) {
    const [address = '', prefix] = range.split('/');
    const isIPv4 = isIP(address) === 4;
    trusted.addSubnet(address, prefix === undefined ? (isIPv4 ? 32 : 128) : Number(prefix), isIPv4 ? 'ipv4' : 'ipv6');
  }
  return (address) => isIP(address) !== 0 && trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}
