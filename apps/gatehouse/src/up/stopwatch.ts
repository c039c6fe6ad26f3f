/** How long each phase of the start took, in milliseconds. */
export class Stopwatch {
  readonly phases: Record<string, number> = {};
  readonly #beganAt = performance.now();

  async time<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const beganAt = performance.now();
    const result = await work();
    this.phases[phase] = Math.round(performance.now() - beganAt);
    return result;
  }

  get totalMs(): number {
    return Math.round(performance.now() - this.#beganAt);
  }
}
