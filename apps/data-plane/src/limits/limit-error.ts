import type { Limit, LimitRefusal } from '@gatehouse/call-limits';
import { GatewayError } from '@gatehouse/errors';

/** Which limit of which server it was. */
export type ToldLimit = Limit & { readonly server: string };

/** A call that is one too many. It was not sent anywhere. */
export class LimitError extends GatewayError {
  readonly limit: ToldLimit;
  /** At least 1; absent where a batch never fits. */
  readonly retryAfterSeconds: number | undefined;

  /** @param server by workspace and name */
  constructor({ limit, retryMs }: LimitRefusal, server: string) {
    const seconds = retryMs === Infinity ? undefined : Math.max(1, Math.ceil(retryMs / 1_000));
    const advice = seconds === undefined ? `a batch of more than ${mostOf(limit)} never fits` : `try again in ${secondsOf(seconds)}`;
    super('calls' in limit ? 'rate_limited' : 'too_many_concurrent_calls', { detail: `${server}: per ${limit.per}`, publicMessage: `${describe(limit)}: ${advice}.` });
    this.limit = { ...limit, server };
    this.retryAfterSeconds = seconds;
  }
}

/** So many together are let in, at most. */
const mostOf = (limit: Limit): number => ('calls' in limit ? limit.burst : limit.concurrentCalls);

function describe(limit: Limit): string {
  if ('calls' in limit) return `Too many calls, more than ${limit.calls} in ${secondsOf(limit.seconds)} ${ofWhom[limit.per]}`;
  return `Too many calls at the same time, more than ${limit.concurrentCalls} ${ofWhom[limit.per]}`;
}

const ofWhom = { caller: 'of one caller', server: 'of this server', tool: 'of one tool', 'caller-tool': 'of one tool by one caller' } as const;
const secondsOf = (seconds: number): string => (seconds === 1 ? '1 second' : `${seconds} seconds`);
