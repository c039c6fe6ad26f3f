import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithThisProcess } from './run-command.ts';

export interface ManyFollowersOptions {
  readonly count: number;
  readonly redisUrl: string;
  /** GATEHOUSE_SNAPSHOT_KEY */
  readonly snapshotKey: string;
  readonly pollMs: number;
}

export interface FollowerState {
  readonly revision: number | undefined;
  readonly hash: string | undefined;
  /** When each of its subscriptions began; milliseconds since the epoch. */
  readonly subscribedAt: readonly number[];
}

export interface ManyFollowers {
  states(): Promise<FollowerState[]>;
  close(): Promise<void>;
}

const script = fileURLToPath(new URL('many-followers-process.ts', import.meta.url));

/** As many data planes as Redis and control planes see them, in a process of their own. */
export async function startManyFollowers(options: ManyFollowersOptions): Promise<ManyFollowers> {
  const child = fork(script, [JSON.stringify(options)], { execPath: process.execPath, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  endWithThisProcess(child);
  const ended = once(child, 'exit');
  const answer = async (): Promise<unknown> => ((await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(new Error('the followers’ process has ended')))])) as [unknown])[0];
  await answer();
  return {
    states: async () => {
      child.send('states');
      return (await answer()) as FollowerState[];
    },
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
