const maxBytes = 16_384;
const nothing = Buffer.alloc(0);

export type EndpointRewrite =
  /** The event is not whole yet. `output` is what came before it and passes on. */
  | { readonly state: 'waiting'; readonly output: Buffer }
  | { readonly state: 'rewritten'; readonly output: Buffer }
  | { readonly state: 'invalid' };

/**
 * The first event of a legacy HTTP+SSE stream names the URL that messages are posted to (MCP 2024-11-05, transports).
 * `push` takes the stream's bytes until that event is whole, then gives it back with the URL that `replace` makes of it.
 * Comments before it pass as they come.
 */
export class EndpointEvent {
  #pending = '';
  readonly #replace: (endpoint: string) => string | undefined;

  /** @param replace gives the new URL, or `undefined` when the endpoint is not acceptable */
  constructor(replace: (endpoint: string) => string | undefined) {
    this.#replace = replace;
  }

  push(chunk: Buffer): EndpointRewrite {
    // Latin-1 keeps every byte as it is, whatever else is in the stream.
    this.#pending += chunk.toString('latin1');
    const eventEnd = /\r\n\r\n|\n\n|\r\r/g;
    let passed = 0;
    for (let end = eventEnd.exec(this.#pending); end !== null; end = eventEnd.exec(this.#pending)) {
      const fields = this.#pending.slice(passed, end.index).split(/\r\n|\n|\r/);
      if (!fields.every((line) => line.startsWith(':') || line === '')) return this.#rewrite(fields, passed, eventEnd.lastIndex);
      passed = eventEnd.lastIndex;
    }
    const output = passed === 0 ? nothing : Buffer.from(this.#pending.slice(0, passed), 'latin1');
    this.#pending = this.#pending.slice(passed);
    return this.#pending.length > maxBytes ? { state: 'invalid' } : { state: 'waiting', output };
  }

  #rewrite(fields: readonly string[], start: number, end: number): EndpointRewrite {
    const endpoint = fields.flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? []).join('');
    const isEndpoint = fields.some((line) => /^event: ?endpoint$/.test(line));
    const replacement = isEndpoint ? this.#replace(endpoint) : undefined;
    if (replacement === undefined) return { state: 'invalid' };
    const output = `${this.#pending.slice(0, start)}event: endpoint\ndata: ${replacement}\n\n${this.#pending.slice(end)}`;
    return { state: 'rewritten', output: Buffer.from(output, 'latin1') };
  }
}
