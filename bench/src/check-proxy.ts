import type { Proxy } from './nginx-proxy.ts';
import { sampleCall } from './sample-call.ts';

/**
 * One call before anything is measured: the upstream answers as expected only when it got the injected key and nothing of the
 * caller's; and without a credential nothing goes through.
 */
export async function checkProxy({ name, url, headers }: Pick<Proxy, 'name' | 'url' | 'headers'>): Promise<void> {
  const known = await post(url, headers);
  if (known.status !== 200 || known.body !== sampleCall.answer) throw new Error(`${name}: the call did not arrive as it should: ${known.status} ${known.body}`);
  const stranger = await post(url, {});
  if (stranger.status !== 401) throw new Error(`${name}: a caller without a credential was answered with ${stranger.status}`);
}

/** That the upstream itself refuses what is not as it should be: otherwise the check above says nothing. */
export async function checkUpstream(url: string, upstreamKey: string, authorization: string): Promise<void> {
  const answers = await Promise.all([post(url, { 'x-api-key': upstreamKey }), post(url, {}), post(url, { 'x-api-key': upstreamKey, authorization })]);
  const statuses = answers.map(({ status }) => status).join(' ');
  if (statuses !== '200 500 500') throw new Error(`the upstream does not look at credentials: ${statuses}`);
}

async function post(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  const response = await fetch(url, { method: 'POST', body: sampleCall.body, headers: { ...sampleCall.headers, ...headers } });
  return { status: response.status, body: await response.text() };
}
