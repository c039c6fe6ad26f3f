import { performance } from 'node:perf_hooks';
import { Histogram, type Registry } from 'prom-client';

/** Whom a data plane asks besides upstreams: the token broker, providers' token endpoints, issuers' key sets. */
export type Dependency = 'broker' | 'provider' | 'key_set';

export type ObserveDependency = <T extends { readonly status: number }>(dependency: Dependency, request: () => Promise<T>) => Promise<T>;

/** What requests take that a data plane makes for its own needs, and how they end. No call that has all it needs makes one. */
export function observeDependencies(registry: Registry): ObserveDependency {
  const durations = new Histogram({
    name: 'gatehouse_dependency_request_duration_seconds',
    help: 'Requests to the token broker, to providers and for key sets, by outcome: ok, refused (4xx), failed (5xx, or no answer).',
    labelNames: ['dependency', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  return async (dependency, request) => {
    const startedAt = performance.now();
    const observe = (outcome: string): void => durations.observe({ dependency, outcome }, (performance.now() - startedAt) / 1000);
    try {
      const answer = await request();
      observe(outcomeOf(answer.status));
      return answer;
    } catch (error) {
      observe('failed');
      throw error;
    }
  };
}

function outcomeOf(status: number): 'ok' | 'refused' | 'failed' {
  if (status < 400) return 'ok';
  return status < 500 ? 'refused' : 'failed';
}
