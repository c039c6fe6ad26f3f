import { setTimeout as delay } from 'node:timers/promises';
import { CommandFailure } from '../command-failure.ts';

const everyMs = 10;
const timeoutMs = 15_000;

/** Resolves when the data plane serves a snapshot, and calls can be made. */
export const waitUntilReady = (internalUrl: string): Promise<void> =>
  until(`${internalUrl}/readyz`, (response) => Promise.resolve(response.ok), 'the data plane got no configuration');

/** Resolves when the data plane serves what was changed in this revision. */
export const waitForRevision = (internalUrl: string, revision: number): Promise<void> =>
  until(
    `${internalUrl}/debug/snapshot`,
    async (response) => (((await response.json()) as { revision?: number }).revision ?? -1) >= revision,
    `the data plane did not get revision ${revision}`,
  );

async function until(url: string, isSo: (response: Response) => Promise<boolean>, otherwise: string): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  while (Date.now() < giveUpAt) {
    if (await isSo(await fetch(url))) return;
    await delay(everyMs);
  }
  throw new CommandFailure(`${otherwise} within ${timeoutMs / 1000} s; see the log`);
}
