/**
 * A stream on which the answers come to what its caller posts elsewhere, to any replica (MCP 2024-11-05, HTTP+SSE): how many are
 * still to come, nobody here can know. Whoever has to end it does so after one: then its caller has least to lose.
 */
export class AnswerStream {
  #onAnswer: (() => void) | undefined;

  /** Once, as soon as the next answer was passed on. */
  afterNext(act: () => void): void {
    this.#onAnswer = act;
  }

  passed(chunk: Buffer): void {
    if (this.#onAnswer === undefined || !endsWithAnswer(chunk)) return;
    // Whoever is writing comes to an end first.
    setImmediate(this.#onAnswer);
    this.#onAnswer = undefined;
  }
}

/** Requests and notifications have a method. What is not recognised, because it came in pieces, ends nothing. */
function endsWithAnswer(chunk: Buffer): boolean {
  const text = chunk.toString('latin1');
  return /(?:\r\n|\n|\r)(?:\r\n|\n|\r)$/.test(text) && text.includes('"id":') && !text.includes('"method":');
}
