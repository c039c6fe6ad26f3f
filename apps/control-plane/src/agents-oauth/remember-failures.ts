import type { GuardedFetch } from '@gatehouse/egress';

const rememberedMs = 60_000;
const maxRemembered = 1_000;

interface Failure {
  readonly until: number;
  /** Without its body; or what went wrong on the way. */
  readonly outcome: { readonly status: number } | { readonly error: unknown };
}

/** Does not ask again within a minute for what could not be had: whoever names a URL often has it fetched once. */
export function rememberFailures(fetch: GuardedFetch, now: () => number = Date.now): GuardedFetch {
  const failures = new Map<string, Failure>();
  const remember = (url: string, outcome: Failure['outcome']): void => {
    const [oldest] = failures.keys();
    if (failures.size >= maxRemembered && oldest !== undefined) failures.delete(oldest);
    failures.set(url, { until: now() + rememberedMs, outcome });
  };
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const known = failures.get(url);
    if (known !== undefined && known.until > now()) {
      if ('error' in known.outcome) throw known.outcome.error;
      return new Response(null, known.outcome);
    }
    failures.delete(url);
    try {
      const answer = await fetch(input, init);
      if (answer.status !== 200) remember(url, { status: answer.status });
      return answer;
    } catch (error) {
      remember(url, { error });
      throw error;
    }
  };
}
