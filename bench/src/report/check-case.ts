import type { Proxy } from '../nginx-proxy.ts';
import { sampleCall } from '../sample-call.ts';
import { answerMark } from './report-calls.ts';

/** One call, which the upstream answers only if it got the credential it should; and none where nobody says who calls. */
export async function checkCase({ name, url, headers, request = sampleCall }: Pick<Proxy, 'name' | 'url' | 'headers' | 'request'>, refusesStrangers: boolean): Promise<void> {
  const post = (own: Readonly<Record<string, string>>): Promise<Response> => fetch(url, { method: 'POST', body: request.body, headers: { ...request.headers, ...own } });
  const known = await post(headers);
  const body = await known.text();
  if (known.status !== 200 || !body.includes(answerMark)) throw new Error(`${name}: the call did not arrive as it should: ${known.status} ${body.slice(0, 500)}`);
  if (!refusesStrangers) return;
  const stranger = await post({});
  await stranger.body?.cancel();
  if (stranger.status !== 401) throw new Error(`${name}: a caller without a credential was answered with ${stranger.status}`);
}
