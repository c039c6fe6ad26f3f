import { setTimeout as delay } from 'node:timers/promises';
import type { CallOutcome, ConnectedPerson, ConnectedPlanes } from './connected-planes.ts';
import type { DataPlaneProcess } from './production-shape.ts';

export interface MadeCall {
  readonly who: ConnectedPerson;
  /** Of the data plane, from 0. */
  readonly plane: number;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  readonly endedAt: number;
  readonly outcome: CallOutcome;
}

/** Steady load: people who call at every data plane, each caller one call after the other. */
export class SteadyCalls {
  /** In the order in which they ended. */
  readonly made: MadeCall[] = [];
  readonly #planes: ConnectedPlanes;
  readonly #callers: Promise<void>[] = [];
  #isOver = false;

  constructor(planes: ConnectedPlanes) {
    this.#planes = planes;
  }

  /** @param callers of this person, at each data plane */
  begin(who: ConnectedPerson, callers: number, pauseMs: number): void {
    for (const [index, plane] of this.#planes.dataPlanes.entries()) for (let caller = 0; caller < callers; caller += 1) this.#callers.push(this.#call(who, plane, index, pauseMs));
  }

  /** The last call of someone at a data plane that has ended; all that follow began later. */
  last(who: ConnectedPerson, plane: number): MadeCall | undefined {
    return this.made.findLast((call) => call.who === who && call.plane === plane);
  }

  /** Resolves when the last ones have ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
  }

  async #call(who: ConnectedPerson, plane: DataPlaneProcess, index: number, pauseMs: number): Promise<void> {
    while (!this.#isOver) {
      const beganAt = Date.now();
      const outcome = await this.#planes.call(plane, who).catch((error: unknown) => `no answer: ${String(error)}`);
      this.made.push({ who, plane: index, beganAt, endedAt: Date.now(), outcome });
      await delay(pauseMs);
    }
  }
}
