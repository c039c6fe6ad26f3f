import { randomUUID } from 'node:crypto';
import { beginsArray, eachElement, skipSpace } from '@gatehouse/mcp-protocol';
import { type Edit, editObject, within } from '@gatehouse/virtual-servers';
import { ToolRefusal } from '../pipeline/check-tools.ts';
import type { Reply } from '../pipeline/request.ts';
import { changeMessages } from './change-messages.ts';
import type { MemberMessage } from './member-message.ts';

/**
 * A request under an id of the gateway's own, and the same as its progress token. Callers share sessions that the gateway has opened,
 * and all of them count from 0: of two requests with one id, one would get the other's answer.
 */
export class OwnId {
  readonly message: MemberMessage;
  readonly #own = `gatehouse-${randomUUID()}`;
  readonly #id: string;
  readonly #token: string | undefined;

  constructor(message: MemberMessage & { readonly text: string }) {
    const own = (): string => JSON.stringify(this.#own);
    const { text } = message;
    let id = JSON.stringify(message.id ?? null);
    let token: string | undefined;
    const tokenEdit: Edit = (value) => (value === undefined ? undefined : ((token ??= value), own()));
    const idEdit: Edit = (value) => ((id = value ?? id), own());
    const ofObject = (edits: Parameters<typeof within>[0]): Edit => (value) => (value?.startsWith('{') === true ? within(edits)(value) : value);
    const edited = editObject(text, { id: idEdit, params: ofObject({ _meta: ofObject({ progressToken: tokenEdit }) }) });
    this.message = { ...message, id: this.#own, text: edited };
    this.#id = id;
    this.#token = token;
  }

  /** The answer, and what is told on the way to it, as the caller has asked. */
  restore(reply: Reply, maxBytes: number): Promise<Reply> {
    return changeMessages(reply, maxBytes, { data: (text) => this.#restored(text) });
  }

  /** The gateway refuses it in the member's place. */
  restoreError(error: unknown): unknown {
    return error instanceof ToolRefusal ? new ToolRefusal(this.#restored(error.answer)) : error;
  }

  #restored(text: string): string {
    if (!text.includes(this.#own) || !isJson(text)) return text;
    const start = skipSpace(text, 0);
    if (!beginsArray(text, start)) return this.#restoredMessage(text);
    const messages: string[] = [];
    eachElement(text, start, (from, to) => void messages.push(this.#restoredMessage(text.slice(from, to))));
    return `[${messages.join(',')}]`;
  }

  #restoredMessage(text: string): string {
    const back = (caller: string | undefined): Edit => (value) => (value !== undefined && caller !== undefined && value === JSON.stringify(this.#own) ? caller : value);
    return editObject(text, { id: back(this.#id), params: (params) => (params?.startsWith('{') === true ? editObject(params, { progressToken: back(this.#token) }) : params) });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
