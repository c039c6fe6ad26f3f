import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithThisProcess } from './run-command.ts';

export interface GithubLikeOptions {
  readonly redirectUris: readonly string[];
  /** Titles of their open pull requests, by login. */
  readonly pullRequests: Readonly<Record<string, readonly string[]>>;
}

/** What the provider has seen so far. */
export interface GithubLikeRecord {
  /** Logins that were typed, and times that somebody agreed. */
  readonly logins: readonly string[];
  readonly consents: readonly string[];
  readonly refreshes: number;
  /** Families of tokens that were revoked because a refresh token came twice. */
  readonly revokedFamilies: number;
  /** Requests to give a token back (RFC 7009). */
  readonly revocations: number;
  /** Tokens for the service itself. */
  readonly clientCredentials: number;
  /** Access tokens that are good, by login. */
  readonly accessTokens: Readonly<Record<string, number>>;
  /** Requests to the MCP server that had no good token. */
  readonly refusedRequests: number;
}

export interface GithubLike {
  readonly origin: string;
  /** Of the MCP server. */
  readonly url: string;
  readonly tokenUrl: string;
  /** What an administrator writes into the app. */
  readonly app: Readonly<Record<'authorizationUrl' | 'tokenUrl' | 'revocationUrl' | 'clientId' | 'clientSecret' | 'clientAuth', string>>;
  /** Clients that work for themselves: one with a secret, one that signs. */
  readonly service: Readonly<Record<'clientId' | 'clientSecret', string>>;
  readonly signer: Readonly<Record<'clientId' | 'privateKey', string>>;
  /** Every access token ends, before its time. */
  endAccessTokens: () => Promise<void>;
  /** Tokens that are given back are good until it is released: it takes its time. */
  holdRevocations: () => Promise<void>;
  releaseRevocations: () => Promise<void>;
  record: () => Promise<GithubLikeRecord>;
  close: () => Promise<void>;
}

const script = fileURLToPath(new URL('github-like-process.ts', import.meta.url));

/**
 * What GitHub is to a gateway, in a process of its own: an OAuth server with a login and a consent page, which takes each refresh token
 * once, and an MCP server of both eras that answers nobody without a token, and everybody with what is their own.
 */
export async function startGithubLike(options: GithubLikeOptions): Promise<GithubLike> {
  const child = fork(script, [JSON.stringify(options)], { execPath: process.execPath, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  endWithThisProcess(child);
  const ended = once(child, 'exit');
  const answer = async <T>(): Promise<T> => {
    const [first] = (await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(new Error('the GitHub-like process has ended')))])) as [T];
    return first;
  };
  const started = await answer<Pick<GithubLike, 'origin' | 'app' | 'service' | 'signer'>>();
  // One after the other: an answer does not say what it answers.
  let last: Promise<unknown> = Promise.resolve();
  const tell = <T>(command: string): Promise<T> => {
    const told = last.then(() => {
      child.send(command);
      return answer<{ result: T }>();
    });
    last = told.catch(() => undefined);
    return told.then(({ result }) => result);
  };
  return {
    ...started,
    url: `${started.origin}/mcp`,
    tokenUrl: started.app.tokenUrl,
    endAccessTokens: () => tell('endAccessTokens'),
    holdRevocations: () => tell('holdRevocations'),
    releaseRevocations: () => tell('releaseRevocations'),
    record: () => tell('record'),
    close: async () => {
      child.kill();
      await ended;
    },
  };
}
