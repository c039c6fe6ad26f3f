/** A key of HashiCorp Vault's or OpenBao's transit engine. */
export interface TransitReference {
  readonly type: 'transit';
  readonly origin: string;
  /** Path of the engine below `/v1`, a namespace in front of it if there is one. */
  readonly mount: string;
  readonly key: string;
}

export interface AwsKmsReference {
  readonly type: 'aws-kms';
  /** ARN of the key, or of an alias of it. */
  readonly keyArn: string;
  readonly region: string;
}

export type KmsReference = TransitReference | AwsKmsReference;

const arn = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(?:key|alias)\/[\w/-]+$/;
/** A key as the transit API addresses it (`GET /v1/{mount}/keys/{name}`). */
const keyPath = /^\/v1\/([\w./-]+)\/keys\/([\w.-]+)$/;

export const kmsReferenceForms = 'must be transit:https://<host>/v1/<mount>/keys/<name> or aws-kms:<ARN of a key or alias>';

/** Reads `transit:<URL of a key>` or `aws-kms:<ARN>`. */
export function parseKmsReference(text: string): KmsReference | undefined {
  const [type, rest] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
  if (type === 'aws-kms') {
    const region = arn.exec(rest)?.[1];
    return region === undefined ? undefined : { type, keyArn: rest, region };
  }
  if (type !== 'transit' || !URL.canParse(rest)) return undefined;
  const { protocol, origin, pathname, search, username } = new URL(rest);
  const [, mount, key] = keyPath.exec(pathname) ?? [];
  if (!['http:', 'https:'].includes(protocol) || search !== '' || username !== '' || mount === undefined || key === undefined) return undefined;
  return { type, origin, mount, key };
}
