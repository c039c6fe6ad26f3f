const maxBytes = 16_384;

export type EndpointRewrite =
  | { readonly state: 'incomplete' }
  | { readonly state: 'rewritten'; readonly output: Buffer; readonly endpoint: string }
  | { readonly state: 'invalid' };

/**
 * The first event of a legacy HTTP+SSE stream names the URL that messages are posted to (MCP 2024-11-05, transports).
 * `push` takes the stream's bytes until that event is whole, then gives it back with the URL that `replace` makes of it.
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
    const end = /\r\n\r\n|\n\n|\r\r/.exec(this.#pending);
    if (!end) return this.#pending.length > maxBytes ? { state: 'invalid' } : { state: 'incomplete' };
    const event = this.#pending.slice(0, end.index);
    const rest = this.#pending.slice(end.index + end[0].length);
    const fields = event.split(/\r\n|\n|\r/);
    if (!fields.some((line) => /^event: ?endpoint$/.test(line))) {
      // A comment or another event may come first: it passes as it is.
      if (fields.every((line) => line.startsWith(':') || line === '')) return this.#afterComment(event + end[0], rest);
      return { state: 'invalid' };
    }
    const endpoint = fields.flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? []).join('');
    const replacement = this.#replace(endpoint);
    if (replacement === undefined) return { state: 'invalid' };
    return { state: 'rewritten', endpoint, output: Buffer.from(`event: endpoint\ndata: ${replacement}\n\n${rest}`, 'latin1') };
  }

  #afterComment(comment: string, rest: string): EndpointRewrite {
    this.#pending = rest;
    const next = this.push(Buffer.alloc(0));
    if (next.state !== 'incomplete') return next.state === 'rewritten' ? { ...next, output: Buffer.concat([Buffer.from(comment, 'latin1'), next.output]) } : next;
    this.#pending = comment + rest;
    return next;
  }
}
