import type { ServerResponse } from 'node:http';
import type { Admission } from '../pipeline/admission.ts';
import type { AnswerStream } from '../pipeline/answer-stream.ts';
import type { Reply } from '../pipeline/request.ts';

/**
 * How long after its credential has expired a person's stream may go on; then the client comes back with a new one. What is revoked
 * is named for longer than that, so that no stream outlives its revocation, however late it comes.
 */
export const openAfterExpiryMs = 24 * 3_600_000;

interface OpenStream {
  readonly listens: boolean;
  readonly admission: Admission | undefined;
  readonly answers: AnswerStream | undefined;
  readonly end: () => void;
}

/** Answers that may go on for hours, and that something else than their two ends may end. */
export class OpenStreams {
  readonly #isAdmitted: (admission: Admission) => boolean;
  readonly #streams = new Set<OpenStream>();

  constructor(isAdmitted: (admission: Admission) => boolean) {
    this.#isAdmitted = isAdmitted;
  }

  add(response: ServerResponse, { body, admission, answers, onlyListens: listens = false }: Reply, isDraining: boolean): void {
    // Of one that is closed already nobody would say so again, and it would be kept for ever.
    if (typeof body !== 'object' || (!listens && admission === undefined) || response.destroyed) return;
    const end = (): void => {
      // In this order: what is aborted first would break the answer off.
      response.end();
      body.abort();
    };
    // The snapshot that the request went by may be an old one by now.
    if ((listens && isDraining) || (admission !== undefined && !this.#isAdmitted(admission))) return end();
    const stream = { listens, admission, answers, end };
    this.#streams.add(stream);
    const { kind, expiresAt } = admission?.caller ?? {};
    const timer = kind === 'person' && expiresAt !== undefined ? setTimeout(end, expiresAt + openAfterExpiryMs - Date.now()).unref() : undefined;
    response.on('close', () => {
      clearTimeout(timer);
      this.#streams.delete(stream);
    });
  }

  /**
   * Every stream that only listens: those would outlive any drain.
   * @param patienceMs how long one on which answers come may wait for its next one, after which it ends
   */
  endListening(patienceMs = 0): void {
    for (const { listens, answers, end } of this.#streams) {
      if (!listens) continue;
      if (answers === undefined || patienceMs === 0) end();
      else answers.afterNext(end);
    }
    if (patienceMs > 0) setTimeout(() => this.endListening(), patienceMs).unref();
  }

  /** Every stream of a caller that would not be let in any more. */
  endUnadmitted(): void {
    for (const { admission, end } of this.#streams) if (admission !== undefined && !this.#isAdmitted(admission)) end();
  }

  /** Every stream whose caller came with something that has expired since; with a new one it is let in again. */
  endExpired(now: number): void {
    for (const { admission, end } of this.#streams) if ((admission?.caller.expiresAt ?? Infinity) <= now) end();
  }
}
