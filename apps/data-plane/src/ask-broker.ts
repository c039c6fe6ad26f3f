import { brokerPatienceMs, type PostToBroker, tokensPath } from '@gatehouse/access-tokens';
import { type BufferedResponse, createAddressGuard, OriginPools, type RequestTimeouts, sendRequest } from '@gatehouse/egress';
import { toGatewayError } from '@gatehouse/errors';
import type { DataPlaneSettings } from './data-plane.ts';

/** The broker may wait for a provider; then it still has to answer. */
const patienceMs = brokerPatienceMs + 5_000;
/** An answer that is not there after so long may never come: of a line that carries nothing any more, or a process that stands still, nobody is told. */
const askAgainMs = 3_000;
const within = (ms: number): RequestTimeouts => ({ headersMs: ms, totalMs: ms + 5_000 });

export interface BrokerLine {
  readonly post: PostToBroker;
  /** Connections that are kept open. */
  readonly pools: OriginPools;
  close(): Promise<void>;
}

/**
 * The way to the control plane's token broker. What gets no answer is asked a second time, which changes nothing: whoever asks twice is
 * given the same token. The second time goes over a connection of its own, and so perhaps to another control plane.
 */
export function openBrokerLine({ INTERNAL_URL: internalUrl, DATA_PLANE_TOKEN: token }: Pick<DataPlaneSettings, 'INTERNAL_URL' | 'DATA_PLANE_TOKEN'>): BrokerLine | undefined {
  if (internalUrl === undefined || token === undefined) return undefined;
  // Our own control plane: its address is not a public one.
  const options = { guard: createAddressGuard({ allowedRanges: ['all'] }), connectionsPerOrigin: 64, connectTimeoutMs: 2_000 };
  const kept = new OriginPools({ ...options, keepAliveTimeoutMs: 60_000 });
  const fresh = new OriginPools({ ...options, keepAliveTimeoutMs: 1 });
  const url = new URL(internalUrl.replace(/\/$/, '') + tokensPath);
  const headers = [['authorization', `Bearer ${token.reveal()}`], ['content-type', 'application/json']] as const;
  const post: PostToBroker = async (body, trace) => {
    const ask = (pools: OriginPools, timeouts: RequestTimeouts, signal: AbortSignal): Promise<BufferedResponse> => {
      const send = (more: readonly (readonly [name: string, value: string])[] = []) => sendRequest(pools, { method: 'POST', url, headers: [...headers, ...more], body, timeouts, signal });
      return trace === undefined ? send() : trace(url, send);
    };
    const answer = await askTwice((signal) => ask(kept, within(patienceMs), signal), (signal) => ask(fresh, within(patienceMs - askAgainMs), signal));
    return { status: answer.status, body: answer.body.toString('utf8') };
  };
  return {
    post,
    pools: kept,
    close: async () => {
      await Promise.all([kept.destroy(), fresh.destroy()]);
    },
  };
}

type Ask = (signal: AbortSignal) => Promise<BufferedResponse>;

/** @throws what the first time came to, where neither is answered */
async function askTwice(ask: Ask, askAgain: Ask): Promise<BufferedResponse> {
  const answered = new AbortController();
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, askAgainMs);
  const first = ask(answered.signal).catch((error: unknown) => {
    // A control plane that dies takes the connections along that are kept to it. Of anything else the second time would hear the same.
    if (toGatewayError(error).code === 'upstream_failed') late.resolve();
    else late.reject(error);
    throw error;
  });
  const second = late.promise.then(() => askAgain(answered.signal));
  try {
    return await Promise.any([first, second]);
  } catch (error) {
    throw (error as AggregateError).errors[0];
  } finally {
    clearTimeout(timer);
    answered.abort();
  }
}
