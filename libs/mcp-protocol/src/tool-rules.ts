export interface ToolRulesConfig {
  /** Those that match none may not be called; absent: all may. */
  readonly allow?: readonly string[] | undefined;
  /** Those that match one may not be called, whatever `allow` says. */
  readonly deny?: readonly string[] | undefined;
}

/** Which tools may be called, by name; compiled once per revision. */
export class ToolRules {
  readonly #allow: readonly ToolPattern[] | undefined;
  readonly #deny: readonly ToolPattern[];

  constructor({ allow, deny = [] }: ToolRulesConfig) {
    this.#allow = allow?.map((text) => new ToolPattern(text));
    this.#deny = deny.map((text) => new ToolPattern(text));
  }

  readonly mayCall = (name: string): boolean => {
    const isMatch = (pattern: ToolPattern): boolean => pattern.matches(name);
    return !this.#deny.some(isMatch) && (this.#allow?.some(isMatch) ?? true);
  };
}

/** A name in which `*` stands for any characters; with its case, as MCP compares names. Linear in the name for each `*`. */
class ToolPattern {
  readonly #parts: readonly string[];

  constructor(text: string) {
    this.#parts = text.split('*');
  }

  matches(name: string): boolean {
    const parts = this.#parts;
    const first = parts[0] as string;
    if (parts.length === 1) return name === first;
    const last = parts[parts.length - 1] as string;
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    // Each part at its leftmost place leaves the most room for the next: nothing has to be tried twice.
    const end = name.length - last.length;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = name.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  }
}
