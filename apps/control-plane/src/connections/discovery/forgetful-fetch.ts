import type { Fetch } from '@gatehouse/oauth-client';

/**
 * A server that has forgotten a client that registered by itself has forgotten its grants as well: to whoever refreshes, its
 * `invalid_client` means that the person has to connect again, and not that an administrator has to look at an app.
 */
export function forgetfulFetch(fetch: Fetch, onForgotten: () => Promise<void>): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (response.status !== 400 && response.status !== 401) return response;
    const text = await response.text();
    if (!isInvalidClient(text)) return new Response(text, { status: response.status, headers: response.headers });
    await onForgotten();
    return Response.json({ error: 'invalid_grant', error_description: 'the client is not known any more' }, { status: 400 });
  };
}

function isInvalidClient(text: string): boolean {
  try {
    return (JSON.parse(text) as { error?: unknown } | null)?.error === 'invalid_client';
  } catch {
    return false;
  }
}
