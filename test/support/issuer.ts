import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { IdentityProvider, IdentityProviderOptions, ProvidedPerson } from './identity-provider.ts';
import { endWithThisProcess } from './run-command.ts';

export interface Issuer extends Pick<IdentityProvider, 'issuer' | 'clientId' | 'clientSecret'> {
  /** Says something else of someone, or knows someone new, from now on. */
  put: (person: ProvidedPerson) => Promise<void>;
  close: () => Promise<void>;
}

const script = fileURLToPath(new URL('issuer-process.ts', import.meta.url));

/** An organisation's OpenID provider in a process of its own. Its page asks for the login, and nothing else. */
export async function startIssuer(options: IdentityProviderOptions): Promise<Issuer> {
  const child = fork(script, [JSON.stringify(options)], { execPath: process.execPath, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  endWithThisProcess(child);
  const ended = once(child, 'exit');
  const answer = async <T>(): Promise<T> => {
    const [first] = (await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(new Error('the issuer’s process has ended')))])) as [T];
    return first;
  };
  const provider = await answer<Pick<Issuer, 'issuer' | 'clientId' | 'clientSecret'>>();
  return {
    ...provider,
    put: async (person) => {
      child.send(person);
      await answer();
    },
    close: async () => {
      child.kill();
      await ended;
    },
  };
}
