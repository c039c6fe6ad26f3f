const maxLength = 128;
/** For what makes a name unique. */
const reserve = 8;

/** Names of tools (letters, digits, `_`, `.`, `-`, at most 128, as MCP has them): the same for the same document, in its order. */
export class ToolNames {
  readonly #taken = new Set<string>();
  readonly #numbers = new Map<string, number>();

  take(operationId: string | undefined, method: string, path: string): string {
    const base = fit(operationId ?? '') || fit(`${method.toLowerCase()}_${path}`) || 'operation';
    let name = base;
    while (this.#taken.has(name)) {
      const number = (this.#numbers.get(base) ?? 1) + 1;
      this.#numbers.set(base, number);
      name = `${base.slice(0, maxLength - reserve)}_${number}`;
    }
    this.#taken.add(name);
    return name;
  }
}

const fit = (text: string): string => text.slice(0, 1_000).replace(/[^A-Za-z0-9_.-]+/g, '_').replace(/^_+|_+$/g, '').slice(0, maxLength);
