import { describe, expect, it } from 'vitest';
import { createAddressGuard, isAllowedRange } from './address-guard.ts';

const strict = createAddressGuard({ allowedRanges: [] });

/** As undici hands it to the connector: what `URL` made of the host, without brackets. */
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '');

describe('with nothing allowed', () => {
  it.each([
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['private', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1', '100.127.255.255'],
    ['IPv6 private', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
    ['link-local', '169.254.0.1', '169.254.255.255', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
    ['metadata', '169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'],
    ['unspecified', '0.0.0.0', '0.1.2.3', '::'],
    ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1'],
    ['broadcast and future use', '255.255.255.255', '240.0.0.1'],
    ['reserved', '192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1'],
    ['IPv6 reserved', '2001:db8::1', '3fff::1', '100::1', '2001:10::1', '4000::1', '5f00::1', '1::1'],
    ['IPv4-mapped', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:169.254.169.254', '0:0:0:0:0:ffff:7f00:1'],
    ['IPv4-compatible', '::127.0.0.1', '::7f00:1', '::8.8.8.8'],
    ['IPv4-translated', '::ffff:0:7f00:1'],
    ['NAT64', '64:ff9b::7f00:1', '64:ff9b::10.0.0.1', '64:ff9b::169.254.169.254', '64:ff9b:1::7f00:1', '64:ff9b:1::808:808'],
    ['6to4', '2002:7f00:1::', '2002:a00:1::1', '2002:a9fe:a9fe::1', '2002:c0a8:101::1'],
    ['Teredo, the client XORed', '2001:0:808:808:0:ffff:80ff:fffe', '2001:0:7f00:1::1'],
    ['ISATAP', '2606:4700::5efe:7f00:1', '2606:4700::5efe:10.0.0.1', '2606:4700::200:5efe:a9fe:a9fe', 'fe80::5efe:808:808'],
    ['no addresses', '', 'localhost', '127.1', '0177.0.0.1', '127.0.0.1 ', '1.2.3', '::1::', '[::1]', '1.2.3.4/32', '12345'],
  ])('refuses %s', (_, ...addresses) => {
    expect(addresses.filter((address) => strict.allows(address))).toEqual([]);
  });

  it.each([
    ['IPv4', '8.8.8.8', '1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.1', '172.15.255.255', '172.32.0.0', '192.167.255.255', '223.255.255.255'],
    ['IPv6', '2606:4700::1111', '2a00:1450:4001:800::200e', '2003::1', '2001:4860:4860::8888'],
    ['embeddings of public addresses', '::ffff:8.8.8.8', '64:ff9b::808:808', '2002:808:808::1', '2606:4700::5efe:808:808'],
  ])('allows public %s', (_, ...addresses) => {
    expect(addresses.filter((address) => !strict.allows(address))).toEqual([]);
  });

  it.each([
    'http://2130706433/', 'http://0x7f000001/', 'http://0x7f.1/', 'http://0177.0.0.1/', 'http://127.1/', 'http://0/', 'http://017700000001/',
    'http://１２７.０.０.１/', 'http://①②⑦.⓪.⓪.①/', 'http://127。0。0。1/', 'http://%31%32%37.0.0.1/', 'http://0xa9fea9fe/', 'http://2852039166/',
    'http://[::ffff:127.0.0.1]/', 'http://[::127.0.0.1]/', 'http://[0:0:0:0:0:0:0:1]/', 'http://[64:ff9b::127.0.0.1]/', 'http://[2002:7f00:1::]/',
  ])('refuses %s as URL normalises it', (url) => {
    expect(strict.allows(hostOf(url))).toBe(false);
  });

  it('names the host and the kind of address in the detail', () => {
    expect(() => strict.assertAllowed('10.1.2.3', 'db.example')).toThrowError(
      expect.objectContaining({ code: 'upstream_address_refused', detail: 'db.example resolves to the private address 10.1.2.3' }),
    );
    expect(() => strict.assertAllowed('8.8.8.8')).not.toThrow();
  });
});

describe('with ranges allowed', () => {
  it.each([
    ['loopback', ['127.0.0.1', '::1', '::ffff:127.0.0.1'], ['10.0.0.1', '0.0.0.0', '64:ff9b::7f00:1', '2002:7f00:1::', '::127.0.0.1']],
    ['private', ['10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1', '::ffff:10.0.0.1'], ['127.0.0.1', '169.254.1.1', '100.100.100.200', 'fd00:ec2::254', '64:ff9b::a00:1']],
    ['10.1.0.0/16', ['10.1.0.1', '10.1.255.255', '::ffff:10.1.0.1'], ['10.2.0.1', '10.0.255.255']],
    ['10.1.2.3', ['10.1.2.3'], ['10.1.2.2', '10.1.2.4']],
    ['172.16.0.0/13', ['172.16.0.1', '172.23.255.255'], ['172.24.0.0']],
    ['0.0.0.0/0', ['10.0.0.1', '127.0.0.1'], ['169.254.169.254', '100.100.100.200', '::1']],
    ['fd00::/8', ['fd00::1', 'fdff::1'], ['fc00::1', 'fd00:ec2::254', '10.0.0.1']],
    ['64:ff9b:1::/48', ['64:ff9b:1::a00:1'], ['64:ff9b:2::1']],
    ['169.254.169.254/32', ['169.254.169.254', '::ffff:169.254.169.254'], ['169.254.169.253']],
    ['all', ['127.0.0.1', '169.254.169.254', '::', 'fe80::1', '255.255.255.255'], ['nonsense']],
  ])('%s', (range, allowed, refused) => {
    const guard = createAddressGuard({ allowedRanges: [range] });
    expect(allowed.filter((address) => !guard.allows(address))).toEqual([]);
    expect(refused.filter((address) => guard.allows(address))).toEqual([]);
    expect(guard.allows('8.8.8.8')).toBe(true);
  });

  it.each(['', 'localhost', '10.0.0.0/33', '10.0.0.1/8', '::/129', 'fd00::1/8', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '10/8', '127.1', 'toString', 'fe80::1%eth0', '*'])(
    'refuses %j as a range',
    (range) => {
      expect(isAllowedRange(range)).toBe(false);
      expect(() => createAddressGuard({ allowedRanges: ['loopback', range] })).toThrow(TypeError);
    },
  );
});
