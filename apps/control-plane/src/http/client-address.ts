import { BlockList, isIP } from 'node:net';

const words: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10'],
  all: ['0.0.0.0/0', '::/0'],
};

export interface AddressedRequest {
  readonly headers: { readonly 'x-forwarded-for'?: string | string[] | undefined };
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/**
 * Where a request comes from: the other end of its connection, or what proxies that are trusted say of it. From the right, since what
 * is left of the last untrusted address is that one's own claim.
 */
export function clientAddressOf(trustedProxies: readonly string[]): (request: AddressedRequest) => string {
  const trusted = new BlockList();
  for (const range of trustedProxies.flatMap((text) => words[text] ?? [text])) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    trusted.addSubnet(address, prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix), family);
  }
  const isTrusted = (address: string): boolean => trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

  return ({ headers, socket }) => {
    const claims = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').map((claim) => claim.trim());
    let address = socket.remoteAddress ?? '';
    while (isIP(address) !== 0 && isTrusted(address)) {
      const claim = withoutPort(claims.pop() ?? '');
      if (isIP(claim) === 0) break;
      address = claim;
    }
    return address.replace(/^::ffff:(?=\d+\.)/i, '');
  };
}

/** Some proxies add the port, in brackets after IPv6 addresses. */
const withoutPort = (claim: string): string => /^\[(.+)\](?::\d+)?$/.exec(claim)?.[1] ?? claim.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
