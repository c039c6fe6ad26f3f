import { expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';

/** Resolves when its deadline is met; `isMet` says whether it was. */
function timed() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const one = { isMet: false, promise, expire: () => ((one.isMet = true), resolve()) };
  return one;
}

// The timer of deadlines keeps no process, nor a spec, alive.
const awake = async (work: Promise<unknown>): Promise<void> => {
  const timer = setInterval(() => undefined, 1_000);
  await work;
  clearInterval(timer);
};

it('meets what is due, once, and nothing that is done or not due yet', async () => {
  const deadlines = new Deadlines();
  const [due, done, later] = [timed(), timed(), timed()];
  deadlines.add(due, 10);
  const slot = deadlines.add(done, 10);
  deadlines.add(later, 3_600_000);
  deadlines.remove(slot);
  await awake(due.promise);
  expect([due.isMet, done.isMet, later.isMet]).toEqual([true, false, false]);
});

it('begins again after everything was done', async () => {
  const deadlines = new Deadlines();
  for (let count = 0; count < 3; count += 1) {
    const due = timed();
    deadlines.add(due, 1);
    await awake(due.promise);
    // Long enough for the sweep that finds nothing.
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
});

it('gives a place that is free to the next, and nobody else’s deadline with it', async () => {
  const deadlines = new Deadlines();
  const [gone, due, later] = [timed(), timed(), timed()];
  deadlines.remove(deadlines.add(gone, 1));
  deadlines.add(later, 3_600_000);
  deadlines.add(due, 10);
  await awake(due.promise);
  expect([gone.isMet, due.isMet, later.isMet]).toEqual([false, true, false]);
});
