import { hash } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import type { Secret } from '@gatehouse/sealing';
import type { AccessToken } from './access-token.ts';
import type { RefusedToken } from './access-tokens.ts';
import { type CacheUse, TokenCache, type TokenCacheOptions } from './token-cache.ts';

/** Another one is not asked for sooner than this after one was refused, however often that one is refused too. */
const replacementMs = 5_000;

/** Of one that is over when it comes, so that not every call has it exchanged anew: whoever gave it does not count so exactly. */
const minLifeMs = 2_000;

/** Tokens that providers gave for other tokens. Each counts for the very token that it was given for, and no longer than that one. */
export class ExchangedTokens {
  readonly #now: () => number;
  readonly #cache: TokenCache;
  readonly #digests = new WeakMap<Secret, string>();
  readonly #keys = new WeakMap<AccessToken, string>();
  readonly #replacedAt = new WeakMap<AccessToken, number>();

  constructor(options: Pick<TokenCacheOptions, 'now' | 'random'>) {
    this.#now = options.now;
    this.#cache = new TokenCache({ ...options, derived: true });
  }

  get size(): number {
    return this.#cache.size;
  }

  get use(): Readonly<CacheUse> {
    return this.#cache.use;
  }

  /**
   * @param exchange names the exchange, with everything that its tokens depend on besides the subject
   * @throws what `obtain` throws, GatewayError subject_token_expired, credential_unavailable, upstream_rejected_credentials where a refused one is a replacement
   */
  of(exchange: string, subject: AccessToken, obtain: () => Promise<AccessToken>, refused?: RefusedToken): AccessToken | Promise<AccessToken> {
    checkSubject(subject, this.#now());
    // Of what was given for it nothing is known without the subject token, and of that nothing is kept (P6, docs/rules.md).
    // What rests on a login goes with it, also where a caller comes with a token of the same text.
    const key = `${exchange} ${subject.subjects.join(' ')} ${this.#digestOf(subject)}`;
    const ours = this.#ours(key, refused);
    if (ours !== undefined && (refused?.again === true || this.#now() - (this.#replacedAt.get(ours) ?? -Infinity) < replacementMs)) {
      throw new GatewayError('upstream_rejected_credentials', { detail: 'a token that had just been exchanged in place of another' });
    }
    return this.#cache.of(key, (former) => this.#exchange(key, subject, obtain, former !== undefined), ours);
  }

  /** Hashing a token costs more than the rest of a look-up. */
  #digestOf({ value, digest }: AccessToken): string {
    if (digest !== undefined) return digest;
    let known = this.#digests.get(value);
    if (known === undefined) this.#digests.set(value, (known = hash('sha256', value.reveal(), 'base64url')));
    return known;
  }

  forget(subjects: ReadonlySet<string>): void {
    this.#cache.forget(subjects);
  }

  /** A call may carry tokens of several kinds, and this one may be good. Of one that lacks scopes there is no other. */
  #ours(key: string, refused: RefusedToken | undefined): AccessToken | undefined {
    if (refused === undefined || refused.missing !== undefined) return undefined;
    return [refused.token, ...(refused.others ?? [])].find((token) => this.#keys.get(token) === key);
  }

  async #exchange(key: string, subject: AccessToken, obtain: () => Promise<AccessToken>, isReplacement: boolean): Promise<AccessToken> {
    const given = await obtain();
    const now = this.#now();
    checkSubject(subject, now);
    const expiresAt = Math.min(Math.max(given.expiresAt ?? Infinity, now + minLifeMs), subject.expiresAt ?? Infinity);
    const token: AccessToken = { ...subject, value: given.value, key: given.key, digest: undefined, expiresAt: expiresAt === Infinity ? undefined : expiresAt, subjects: [...subject.subjects, ...given.subjects] };
    this.#keys.set(token, key);
    if (isReplacement) this.#replacedAt.set(token, now);
    return token;
  }
}

/** Whoever brought it can bring another one; of a login's, the broker is the one to say what helps. */
function checkSubject({ expiresAt, subjects }: AccessToken, now: number): void {
  if (expiresAt !== undefined && expiresAt <= now) throw new GatewayError(subjects.length === 0 ? 'subject_token_expired' : 'credential_unavailable', { detail: 'the token of the login has expired' });
}
