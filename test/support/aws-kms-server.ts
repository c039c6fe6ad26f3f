import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface AwsKmsServer {
  /** For GATEHOUSE_VAULT_KMS. */
  readonly reference: string;
  /** For GATEHOUSE_VAULT_KMS_ENDPOINT. */
  readonly endpoint: string;
  /** Encryption contexts that were sent, in order. */
  readonly contexts: Readonly<Record<string, string>>[];
  /** Answers every request with this error of the service; undefined: no more. */
  fail(error: { readonly name: string; readonly status: number } | undefined): void;
  close(): Promise<void>;
}

interface KmsRequest {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
}

type Answer = readonly [status: number, body: object];

const refusal = (name: string): Answer => [400, { __type: name, message: name }];
/** As KMS does: the order of the pairs does not matter. */
const associatedData = (context: Readonly<Record<string, string>>): Buffer => Buffer.from(JSON.stringify(Object.entries(context).toSorted()));

/** Speaks `Encrypt` and `Decrypt` of AWS KMS, with a real key; wants requests signed for its region, and the context that Gatehouse's key policy asks for. */
export async function startAwsKmsServer(region = 'eu-west-1'): Promise<AwsKmsServer> {
  const keyArn = `arn:aws:kms:${region}:111122223333:key/${crypto.randomUUID()}`;
  const key = randomBytes(32);
  const contexts: Readonly<Record<string, string>>[] = [];
  let failure: { name: string; status: number } | undefined;

  const decrypt = (blob: Buffer, data: Buffer): Answer => {
    const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(0, 12)).setAAD(data).setAuthTag(blob.subarray(-16));
    try {
      return [200, { KeyId: keyArn, Plaintext: Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]).toString('base64') }];
    } catch {
      return refusal('InvalidCiphertextException');
    }
  };
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (failure) return [failure.status, { __type: failure.name, message: failure.name }];
    const { authorization = '', 'x-amz-target': target } = request.headers;
    if (!new RegExp(`^AWS4-HMAC-SHA256 Credential=[^/]+/\\d{8}/${region}/kms/aws4_request, SignedHeaders=[^,]*x-amz-target[^,]*, Signature=[0-9a-f]{64}$`).test(authorization)) return refusal('IncompleteSignature');
    const { KeyId, Plaintext = '', CiphertextBlob = '', EncryptionContext = {} } = (await json(request)) as KmsRequest;
    if (KeyId !== keyArn) return refusal('NotFoundException');
    if (!EncryptionContext['workspace'] || !EncryptionContext['term']) return refusal('AccessDeniedException');
    contexts.push(EncryptionContext);
    const data = associatedData(EncryptionContext);
    if (target === 'TrentService.Decrypt') return decrypt(Buffer.from(CiphertextBlob, 'base64'), data);
    if (target !== 'TrentService.Encrypt') return refusal('UnknownOperationException');
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(data);
    const blob = Buffer.concat([nonce, cipher.update(Buffer.from(Plaintext, 'base64')), cipher.final(), cipher.getAuthTag()]);
    return [200, { KeyId: keyArn, CiphertextBlob: blob.toString('base64') }];
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) => response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body)));
  });
  const port = await listenOnLoopback(server);
  return {
    reference: `aws-kms:${keyArn}`,
    endpoint: `http://127.0.0.1:${port}`,
    contexts,
    fail: (error) => void (failure = error),
    close: () => closeHttpServer(server),
  };
}
