import { setTimeout as delay } from 'node:timers/promises';
import type { CallOutcome, ConnectedPerson } from './connected-planes.ts';
import type { DataPlaneProcess } from './production-shape.ts';

/** Data planes, and what a call of `Who` at one of them comes to. */
export interface CalledPlanes<Who> {
  /** One that was started again takes the place of the one before. */
  readonly dataPlanes: readonly DataPlaneProcess[];
  call(plane: DataPlaneProcess, who: Who): Promise<CallOutcome>;
}

export interface MadeCall<Who = ConnectedPerson> {
  readonly who: Who;
  /** Of the data plane, from 0. */
  readonly plane: number;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  readonly endedAt: number;
  readonly outcome: CallOutcome;
}

/** Steady load: people who call at every data plane, each caller one call after the other. */
export class SteadyCalls<Who = ConnectedPerson> {
  /** In the order in which they ended. */
  readonly made: MadeCall<Who>[] = [];
  readonly #planes: CalledPlanes<Who>;
  readonly #callers: Promise<void>[] = [];
  #isOver = false;

  constructor(planes: CalledPlanes<Who>) {
    this.#planes = planes;
  }

  /** @param callers of this person, at each data plane */
  begin(who: Who, callers: number, pauseMs: number): void {
    for (const index of this.#planes.dataPlanes.keys()) for (let caller = 0; caller < callers; caller += 1) this.#callers.push(this.#call(who, index, pauseMs));
  }

  /** The last call of someone at a data plane that has ended; all that follow began later. */
  last(who: Who, plane: number): MadeCall<Who> | undefined {
    return this.made.findLast((call) => call.who === who && call.plane === plane);
  }

  /** Resolves when the last ones have ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
  }

  async #call(who: Who, index: number, pauseMs: number): Promise<void> {
    while (!this.#isOver) {
      const plane = this.#planes.dataPlanes[index] as DataPlaneProcess;
      const beganAt = Date.now();
      const outcome = await this.#planes.call(plane, who).catch((error: unknown) => `no answer: ${String(error)}`);
      this.made.push({ who, plane: index, beganAt, endedAt: Date.now(), outcome });
      await delay(pauseMs);
    }
  }
}
