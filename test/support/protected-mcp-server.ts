import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithThisProcess } from './run-command.ts';

export interface ProtectedMcpOptions {
  readonly accessTokenSeconds?: number;
  /** Those it knows; `read` and `write` when absent. */
  readonly scopes?: readonly string[];
  /** Those its 401 names. */
  readonly requiredScopes?: readonly string[];
  /** False: no client registers by itself. */
  readonly registers?: boolean;
}

export interface ProtectedMcpCounts {
  readonly clients: number;
  readonly accessTokens: number;
  readonly refreshTokens: number;
}

export interface ProtectedMcpServer {
  readonly origin: string;
  /** Of the MCP endpoint: all that anybody is told. */
  readonly url: string;
  /** Clients, codes and tokens, as after a restart. */
  forget: () => Promise<void>;
  forgetAccessTokens: () => Promise<void>;
  count: () => Promise<ProtectedMcpCounts>;
  close: () => Promise<void>;
}

const script = fileURLToPath(new URL('protected-mcp-process.ts', import.meta.url));

/**
 * An OAuth-protected MCP server in a process of its own: the SDK's authorization server and its resource server. Its page asks for a
 * login, and `whoami` says whose token came; `nobody` does not agree.
 */
export async function startProtectedMcpServer(options: ProtectedMcpOptions = {}): Promise<ProtectedMcpServer> {
  const child = fork(script, [JSON.stringify(options)], { execPath: process.execPath, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  endWithThisProcess(child);
  const ended = once(child, 'exit');
  const answer = async <T>(): Promise<T> => {
    const [first] = (await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(new Error('the protected server’s process has ended')))])) as [T];
    return first;
  };
  const tell = async <T>(command: string): Promise<T> => {
    child.send(command);
    return (await answer<{ result: T }>()).result;
  };
  const { origin, url } = await answer<{ origin: string; url: string }>();
  return {
    origin, url,
    forget: () => tell('forget'),
    forgetAccessTokens: () => tell('forgetAccessTokens'),
    count: () => tell('count'),
    close: async () => {
      child.kill();
      await ended;
    },
  };
}
