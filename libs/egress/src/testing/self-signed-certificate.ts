import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface SelfSignedCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A self-signed P-256 certificate for specs, made here because there is not an openssl everywhere. */
export function selfSignedCertificate(options: { dnsNames?: string[]; ipAddresses?: string[]; notBefore?: Date; notAfter?: Date } = {}): SelfSignedCertificate {
  const { dnsNames = ['localhost'], ipAddresses = ['127.0.0.1'] } = options;
  const { notBefore = new Date(Date.now() - 86_400_000), notAfter = new Date(Date.now() + 30 * 86_400_000) } = options;
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256', publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const algorithm = sequence(objectId('2a8648ce3d040302')); // ecdsa-with-SHA256
  const name = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(dnsNames[0] ?? 'spec')))));
  const alternatives = [
    ...dnsNames.map((text) => der(0x82, Buffer.from(text))),
    ...ipAddresses.map((text) => der(0x87, Buffer.from(text.split('.').map(Number)))),
  ];
  const extensions = sequence(
    sequence(objectId('551d11'), der(0x04, sequence(...alternatives))),
    sequence(objectId('551d13'), der(0x04, sequence(der(0x01, Buffer.of(0xff))))), // CA, so that it can be trusted as its own issuer
  );
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    pair.publicKey,
    der(0xa3, extensions),
  );
  const signature = sign('sha256', toBeSigned, createPrivateKey(pair.privateKey));
  const certificate = sequence(toBeSigned, algorithm, der(0x03, Buffer.of(0), signature));
  const base64 = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return { key: pair.privateKey, cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n` };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 0x80 ? [content.length] : content.length < 0x100 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const time = (date: Date): Buffer => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
