import type { AccessTokens } from '@gatehouse/access-tokens';
import { verifiedTokenUse } from '@gatehouse/token-verification';
import { Counter, Gauge, type Registry } from 'prom-client';

/** How often what is kept spares a request, or a signature's verification. Counted where it is kept; read when it is asked for. */
export function observeCaches(registry: Registry, tokens: Pick<AccessTokens, 'caches'>): void {
  const registers = [registry];
  const caches = (): [string, AccessTokens['caches'][keyof AccessTokens['caches']]][] => Object.entries(tokens.caches);
  new Counter({
    name: 'gatehouse_token_cache_requests_total',
    help: 'Tokens that calls needed, by cache (connection, client, exchange) and result: hit, or miss where they waited for one.',
    labelNames: ['cache', 'result'],
    registers,
    collect() {
      this.reset();
      for (const [cache, { use }] of caches()) {
        this.inc({ cache, result: 'hit' }, use.hits);
        this.inc({ cache, result: 'miss' }, use.misses);
      }
    },
  });
  new Counter({
    name: 'gatehouse_token_cache_failures_total',
    help: 'Tokens that could not be obtained or renewed, by cache.',
    labelNames: ['cache'],
    registers,
    collect() {
      this.reset();
      for (const [cache, { use }] of caches()) this.inc({ cache }, use.failures);
    },
  });
  new Gauge({
    name: 'gatehouse_token_cache_tokens',
    help: 'Tokens that are held, by cache.',
    labelNames: ['cache'],
    registers,
    collect() {
      for (const [cache, { size }] of caches()) this.set({ cache }, size);
    },
  });
  new Counter({
    name: 'gatehouse_verified_token_requests_total',
    help: 'Callers’ signed tokens by result: hit where one had been verified before, miss where it had not.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      this.inc({ result: 'hit' }, verifiedTokenUse.hits);
      this.inc({ result: 'miss' }, verifiedTokenUse.misses);
    },
  });
  new Gauge({
    name: 'gatehouse_verified_token_characters',
    help: 'Characters of callers’ tokens that are known as verified; there is room for 134,217,728.',
    registers,
    collect() {
      this.set(verifiedTokenUse.characters);
    },
  });
}
