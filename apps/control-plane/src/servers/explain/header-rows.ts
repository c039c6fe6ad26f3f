import { toHeaderBytes } from '@gatehouse/app-auth';
import { isHeaderName } from '@gatehouse/config-fields';
import type { Problem } from '@gatehouse/errors';
import { trimValue } from '@gatehouse/header-policy';

const nameProblem = 'is not a header name: only letters, digits and !#$%&\'*+-.^_`|~ are allowed';

/** Collects headers as an HTTP parser would hand them on (RFC 9110 section 5.5), and what is wrong with any of them, by pointer. */
export class HeaderRows {
  readonly rows: string[] = [];
  readonly problems: Problem[] = [];
  /** Lower-case names. */
  readonly #names = new Set<string>();

  /** `namePointer` leads to the name: what is wrong there is never quoted. */
  add(name: string, value: string, namePointer: string): void {
    if (!isHeaderName(name)) return this.#refuse(namePointer, nameProblem);
    this.#names.add(name.toLowerCase());
    this.rows.push(name, toHeaderBytes(trimValue(value)));
    return undefined;
  }

  /** `Name: value` */
  addLine(line: string, pointer: string): void {
    const cut = line.indexOf(':');
    if (cut === -1) this.#refuse(pointer, 'is not a header: write "Name: value"');
    else this.add(line.slice(0, cut), line.slice(cut + 1), pointer);
  }

  /** `name` in lower case. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  #refuse(pointer: string, detail: string): void {
    this.problems.push({ pointer, detail, code: 'invalid_value' });
  }
}
