import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface TransitServer {
  /** For GATEHOUSE_VAULT_KMS. */
  readonly reference: string;
  readonly port: number;
  /** Contexts that were asked for, decoded, in order. */
  readonly contexts: string[];
  /** Tokens it takes. */
  readonly tokens: Set<string>;
  /** Sealed: 503 to everything, as after a restart. */
  seal(isSealed: boolean): void;
  /** A new version of the key encrypts from now on; older ones still decrypt. */
  rotate(): void;
  close(): Promise<void>;
}

export interface TransitOptions {
  readonly token: string;
  readonly name?: string;
  /** A key per context (`derived=true`); the context is ignored otherwise, as transit does. */
  readonly derived?: boolean;
  readonly port?: number;
}

interface TransitRequest {
  readonly plaintext?: string;
  readonly ciphertext?: string;
  readonly context?: string;
  readonly associated_data?: string;
}

type Answer = readonly [status: number, body: object];

/** Speaks `encrypt` and `decrypt` of the transit engine of HashiCorp Vault and OpenBao, with real keys that never leave it. */
export async function startTransitServer({ token, name = 'gatehouse', derived = true, port = 0 }: TransitOptions): Promise<TransitServer> {
  const versions = [randomBytes(32)];
  const tokens = new Set([token]);
  const contexts: string[] = [];
  let isSealed = false;

  const keyOf = (version: number, context: Buffer): Buffer | undefined => {
    const key = versions[version - 1];
    return key && (derived ? Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), context, 32)) : key);
  };
  const encrypt = ({ plaintext = '', context = '', associated_data: data = '' }: TransitRequest): Answer => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', keyOf(versions.length, Buffer.from(context, 'base64')) as Buffer, nonce).setAAD(Buffer.from(data, 'base64'));
    const sealed = Buffer.concat([nonce, cipher.update(Buffer.from(plaintext, 'base64')), cipher.final(), cipher.getAuthTag()]);
    return [200, { data: { ciphertext: `vault:v${versions.length}:${sealed.toString('base64')}`, key_version: versions.length } }];
  };
  const decrypt = ({ ciphertext = '', context = '', associated_data: data = '' }: TransitRequest): Answer => {
    const [, version, text] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
    const key = keyOf(Number(version), Buffer.from(context, 'base64'));
    if (key === undefined || text === undefined) return [400, { errors: ['invalid ciphertext: no prefix'] }];
    const sealed = Buffer.from(text, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(Buffer.from(data, 'base64')).setAuthTag(sealed.subarray(-16));
    try {
      return [200, { data: { plaintext: Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('base64') } }];
    } catch {
      return [400, { errors: ['cipher: message authentication failed'] }];
    }
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (isSealed) return [503, { errors: ['Vault is sealed'] }];
    if (!tokens.has(String(request.headers['x-vault-token']))) return [403, { errors: ['permission denied'] }];
    const operation = /^\/v1\/transit\/(encrypt|decrypt)\/([\w.-]+)$/.exec(request.url ?? '');
    if (!operation || request.method !== 'POST') return [404, { errors: [] }];
    if (operation[2] !== name) return [400, { errors: ['encryption key not found'] }];
    const body = (await json(request)) as TransitRequest;
    if (derived && !body.context) return [400, { errors: ['missing context for key derivation; the key was created using a derived key'] }];
    contexts.push(Buffer.from(body.context ?? '', 'base64').toString());
    return operation[1] === 'encrypt' ? encrypt(body) : decrypt(body);
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    void answer(request).then(([status, body]) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)));
  });
  const taken = await listenOnLoopback(server, port);
  return {
    reference: `transit:http://127.0.0.1:${taken}/v1/transit/keys/${name}`,
    port: taken,
    contexts,
    tokens,
    seal: (sealed) => void (isSealed = sealed),
    rotate: () => void versions.push(randomBytes(32)),
    close: () => closeHttpServer(server),
  };
}
