export interface AdminReply<Body = unknown> {
  status: number;
  headers: Headers;
  /** Parsed where the reply is JSON, else the text. */
  body: Body;
}

type Send = <Body = unknown>(path: string, headers?: Record<string, string>) => Promise<AdminReply<Body>>;
type SendDocument = <Body = unknown>(
  path: string,
  document?: unknown,
  headers?: Record<string, string>,
) => Promise<AdminReply<Body>>;

/** The REST API as an administrator uses it. Paths begin with `/v1`. A body type given is asserted, not checked. */
export interface AdminClient {
  get: Send;
  delete: Send;
  post: SendDocument;
  put: SendDocument;
  patch: SendDocument;
}

export function createAdminClient(controlPlaneUrl: string, token: string): AdminClient {
  const send = async <Body>(
    method: string,
    path: string,
    document: unknown,
    headers: Record<string, string> = {},
  ): Promise<AdminReply<Body>> => {
    const response = await fetch(new URL(path, controlPlaneUrl), {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(document === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(document === undefined ? {} : { body: JSON.stringify(document) }),
    });
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
    const text = await response.text();
    const body = (isJson && text !== '' ? JSON.parse(text) : text) as Body;
    return { status: response.status, headers: response.headers, body };
  };
  return {
    get: (path, headers) => send('GET', path, undefined, headers),
    delete: (path, headers) => send('DELETE', path, undefined, headers),
    post: (path, document, headers) => send('POST', path, document, headers),
    put: (path, document, headers) => send('PUT', path, document, headers),
    patch: (path, document, headers) => send('PATCH', path, document, headers),
  };
}
