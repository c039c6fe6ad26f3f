import { hash } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import type { AccessToken, TokenGrounds } from './access-token.ts';
import type { LoginTokenKind, TokenRequest, TokenSubject } from './broker-messages.ts';
import { ExchangedTokens } from './exchanged-tokens.ts';
import { MissingValues } from './missing-values.ts';
import { askBroker, type PostToBroker, type TraceRequest } from './token-broker.ts';
import { type CacheUse, maxAgeMs, TokenCache } from './token-cache.ts';
import { Withdrawals } from './withdrawals.ts';

/** Of a request to a provider. */
export type FetchTokens = (url: string, init: RequestInit) => Promise<Response>;

/** Where credentials get tokens that have to be fetched. At once where one is there, as it mostly is. */
export interface TokenSource {
  /**
   * The current token of a connection.
   * @param server whose callers connect accounts
   * @param refused what the upstream did not take
   * @param trace of which asking for it is a part
   * @throws ConnectError, GatewayError
   */
  ofConnection(server: ConnectingServer, subject: TokenSubject, refused?: RefusedToken, trace?: TraceRequest): AccessToken | Promise<AccessToken>;
  /**
   * A token of a client of our own.
   * @param client names the client, with everything that its tokens depend on
   * @throws what `obtain` throws, GatewayError upstream_rejected_credentials where the refused one is new
   */
  ofClient(client: string, obtain: (fetch: FetchTokens) => Promise<AccessToken>, refused?: RefusedToken): AccessToken | Promise<AccessToken>;
  /**
   * What the identity provider gave when a person logged in.
   * @param server whose document asks for it
   * @param whose a person, and the grant by which their agent calls
   * @param refused what the upstream did not take, or whoever was to exchange it
   * @throws ConnectError, GatewayError
   */
  ofLogin(server: ConnectingServer, whose: LoginOwner, kind: LoginTokenKind, refused?: RefusedToken, trace?: TraceRequest): AccessToken | Promise<AccessToken>;
  /**
   * What a person has entered for a credential.
   * @param server whose document sends it
   * @param isOptional the call goes on without one: that there is none need not be of this very moment
   * @throws ConnectError, GatewayError
   */
  ofCredential(server: ConnectingServer, subject: TokenSubject, credential: string, refused?: RefusedToken, isOptional?: boolean, trace?: TraceRequest): AccessToken | Promise<AccessToken>;
  /**
   * A token that a provider gives for another one.
   * @param exchange names the exchange, with everything that its tokens depend on besides the subject
   * @param subject for whom, and no longer than it lives
   * @throws what `obtain` throws, GatewayError subject_token_expired, upstream_rejected_credentials
   */
  ofExchange(exchange: string, subject: AccessToken, obtain: (fetch: FetchTokens) => Promise<AccessToken>, refused?: RefusedToken): AccessToken | Promise<AccessToken>;
}

/** A server as the tokens of its connections know it. */
export interface ConnectingServer {
  readonly id: string;
  /** Another one where other tokens belong to it: of another app, with other scopes, or for another upstream. Made once per revision. */
  readonly connectionKey: string;
  /** Where its tokens go. */
  readonly upstream?: { readonly url: string } | undefined;
}

/** Whose login is meant, and of several, from which one they let the agent in that calls. */
export interface LoginOwner {
  readonly person: string;
  readonly grant?: string | undefined;
}

/** A token that the upstream answered 401 to, or 403 for what it may not do. */
export interface RefusedToken {
  readonly token: AccessToken;
  /** What else the call carried: which of them was refused, an upstream does not say. */
  readonly others?: readonly AccessToken[] | undefined;
  /** Whether it was obtained because another one had been refused just before. */
  readonly again: boolean;
  /** It is good, and lacks these scopes. */
  readonly missing?: readonly string[] | undefined;
}

export interface AccessTokensOptions {
  /** Absent where the data plane does not know its control plane. */
  readonly post: PostToBroker | undefined;
  /** Guarded: providers' addresses are in documents. */
  readonly fetch: FetchTokens;
  readonly now: () => number;
  readonly random?: () => number;
}

/** A token of our own is not asked for again sooner than this, however often it is refused: no provider likes that. */
const clientRenewalMs = 5_000;

/** The tokens of one data plane. */
export class AccessTokens implements TokenSource {
  readonly #post: PostToBroker;
  readonly #fetch: FetchTokens;
  readonly #now: () => number;
  readonly #connections: TokenCache;
  readonly #clients: TokenCache;
  readonly #exchanged: ExchangedTokens;
  readonly #withdrawals: Withdrawals;
  readonly #missing: MissingValues;
  readonly #obtainedAt = new WeakMap<AccessToken, number>();
  /** What is of which connection, credential or client. */
  readonly #entered = new WeakMap<AccessToken, string>();

  constructor({ post = withoutBroker, fetch, now, random }: AccessTokensOptions) {
    this.#post = post;
    this.#fetch = fetch;
    this.#now = now;
    const options = random === undefined ? { now } : { now, random };
    this.#connections = new TokenCache(options);
    this.#clients = new TokenCache({ ...options, maxCount: 10_000 });
    this.#exchanged = new ExchangedTokens(options);
    this.#withdrawals = new Withdrawals(now);
    this.#missing = new MissingValues(now);
  }

  get size(): number {
    return this.#connections.size + this.#clients.size + this.#exchanged.size;
  }

  /** Tokens of connections and people, of clients of our own, and those that were exchanged for others. */
  get caches(): Readonly<Record<'connection' | 'client' | 'exchange', { readonly size: number; readonly use: Readonly<CacheUse> }>> {
    return { connection: this.#connections, client: this.#clients, exchange: this.#exchanged };
  }

  ofConnection(server: ConnectingServer, subject: TokenSubject, refused?: RefusedToken, trace?: TraceRequest): AccessToken | Promise<AccessToken> {
    // Other calls go on with it meanwhile.
    if (refused?.missing !== undefined) return this.#ask({ ...requestFor(server, subject), missing: [...refused.missing] }, trace);
    const key = keyOf(server.connectionKey, subject);
    const obtain = async (former: AccessToken | undefined): Promise<AccessToken> => {
      const token = await this.#ask(requestOf(server, subject, former, refused), trace);
      this.#entered.set(token, key);
      return token;
    };
    const ours = refused?.others?.find((token) => this.#entered.get(token) === key);
    return this.#connections.of(key, obtain, ours ?? refused?.token);
  }

  ofClient(client: string, obtain: (fetch: FetchTokens) => Promise<AccessToken>, refused?: RefusedToken): AccessToken | Promise<AccessToken> {
    const ours = [refused?.token, ...(refused?.others ?? [])].find((token) => token !== undefined && this.#entered.get(token) === client);
    const isNew = ours !== undefined && this.#now() - (this.#obtainedAt.get(ours) ?? 0) < clientRenewalMs;
    // Of what else the call carried, something may be refused that is older.
    const mayBeGood = refused?.again === false && (refused.others ?? []).length > 0;
    if (isNew && !mayBeGood) throw new GatewayError('upstream_rejected_credentials', { detail: 'a token that had just been obtained' });
    const obtainNow = async (): Promise<AccessToken> => {
      const token = await obtain(this.#fetch);
      this.#obtainedAt.set(token, this.#now());
      this.#entered.set(token, client);
      return token;
    };
    return this.#clients.of(client, obtainNow, isNew ? undefined : ours);
  }

  ofLogin(server: ConnectingServer, { person, grant }: LoginOwner, login: LoginTokenKind, refused?: RefusedToken, trace?: TraceRequest): AccessToken | Promise<AccessToken> {
    const subject = { person };
    // Agents that were let in from one session share its token; that they were is the broker's to know.
    return this.#ofPerson(`${keyOf(server.connectionKey, subject)} ${login} ${grant ?? ''}`, server, subject, { login, ...(grant !== undefined && { grant }) }, refused, trace);
  }

  ofCredential(server: ConnectingServer, subject: TokenSubject, credential: string, refused?: RefusedToken, isOptional = false, trace?: TraceRequest): AccessToken | Promise<AccessToken> {
    const key = `${keyOf(server.connectionKey, subject)} credential ${credential}`;
    const missing = isOptional ? this.#missing.of(key) : undefined;
    if (missing !== undefined) throw missing;
    const { entered } = this.#missing;
    const value = this.#ofPerson(key, server, subject, { credential }, refused, trace);
    if (!(value instanceof Promise)) return value;
    return value.catch((error: unknown) => {
      // Whoever cannot go on without one is asked to enter it, at a link that is good by then.
      if (isOptional) this.#missing.add(key, error, entered);
      throw error;
    });
  }

  ofExchange(exchange: string, subject: AccessToken, obtain: (fetch: FetchTokens) => Promise<AccessToken>, refused?: RefusedToken): AccessToken | Promise<AccessToken> {
    return this.#exchanged.of(exchange, subject, () => obtain(this.#fetch), refused);
  }

  /** Somebody has connected an account or entered a value: what was missing of it may not be any more. */
  connected(owner: string): void {
    this.#missing.endOf(owner);
  }

  /**
   * Nothing of these connections, apps, servers or people is used from now on.
   * @param afterOutage others may have been named meanwhile, and not be any more
   */
  forget(subjects: ReadonlySet<string>, afterOutage = false): void {
    this.#connections.forget(subjects);
    this.#exchanged.forget(subjects);
    this.#withdrawals.add(subjects);
    if (afterOutage) this.#withdrawals.missedBefore(maxAgeMs);
  }

  /** Whether a token that was given once would not be used any more, because of what has been forgotten since it was asked for. */
  isWithdrawn(grounds: TokenGrounds): boolean {
    return this.#withdrawals.includes(grounds);
  }

  #ofPerson(key: string, server: ConnectingServer, subject: TokenSubject, what: Pick<TokenRequest, 'login' | 'grant' | 'credential'>, refused: RefusedToken | undefined, trace: TraceRequest | undefined): AccessToken | Promise<AccessToken> {
    const ours = refusedOf(refused, (token) => this.#entered.get(token) === key);
    const obtain = async (former: AccessToken | undefined): Promise<AccessToken> => {
      const token = await this.#ask({ ...requestOf(server, subject, former, refused), ...what }, trace).catch((error: unknown) => {
        throw former !== undefined && isMissing(error) ? new GatewayError('upstream_rejected_credentials', { detail: 'no login of the person has another token', cause: error }) : error;
      });
      this.#entered.set(token, key);
      this.#missing.delete(key);
      return token;
    };
    return this.#connections.of(key, obtain, ours);
  }

  async #ask(request: TokenRequest, trace: TraceRequest | undefined): Promise<AccessToken> {
    // What is revoked while the answer is on its way may not be in it.
    const askedAt = this.#withdrawals.moment();
    return { ...(await askBroker(this.#post, request, this.#now, trace)), askedAt };
  }
}

/** What was obtained for another app or upstream is never found again, though it is the same server and person. */
function keyOf(connection: string, subject: TokenSubject): string {
  if (typeof subject === 'string') return `${connection} shared`;
  return 'person' in subject ? `${connection} person ${subject.person}` : `${connection} token ${JSON.stringify([subject.issuer, subject.subject])}`;
}

const requestFor = ({ id: server, upstream }: ConnectingServer, subject: TokenSubject): TokenRequest => ({ server, subject, ...(upstream !== undefined && { upstream: upstream.url }) });

function requestOf(server: ConnectingServer, subject: TokenSubject, token: AccessToken | undefined, refused: RefusedToken | undefined): TokenRequest {
  const request = requestFor(server, subject);
  if (token === undefined) return request;
  const digest = hash('sha256', token.value.reveal(), 'base64url');
  return { ...request, refused: digest, ...(refused?.again === true && { refusedAgain: true }) };
}

/** A call may carry tokens besides, and one of those may be what the upstream refuses: only a person can enter another value, or log in, and is not asked before the others have been renewed. */
function refusedOf(refused: RefusedToken | undefined, isOurs: (token: AccessToken) => boolean): AccessToken | undefined {
  if (refused === undefined || refused.missing !== undefined) return undefined;
  const { token, others = [], again } = refused;
  return again || others.length === 0 ? [token, ...others].find(isOurs) : undefined;
}

const isMissing = (error: unknown): boolean => error instanceof GatewayError && error.code === 'subject_token_missing';

const withoutBroker: PostToBroker = () =>
  Promise.reject(new GatewayError('broker_unavailable', { detail: 'GATEHOUSE_INTERNAL_URL and GATEHOUSE_DATA_PLANE_TOKEN are not set on this data plane' }));
