import type { GuardedFetch } from '@gatehouse/egress';
import type { KMSClientConfig } from '@aws-sdk/client-kms';

type RequestHandler = Extract<NonNullable<KMSClientConfig['requestHandler']>, { handle: unknown }>;

/** Of the client's own type for requests, what there is of one of KMS. */
interface KmsRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** How the AWS client sends its requests: through the address guard, as everything that leaves. */
export function kmsRequestHandler(fetch: GuardedFetch): RequestHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async ({ protocol, hostname, port, path, method, headers, body }: KmsRequest) => {
      const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;
      const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
      return {
        response: { statusCode: response.status, headers: Object.fromEntries(response.headers), body: new Uint8Array(await response.arrayBuffer()) },
      };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}
