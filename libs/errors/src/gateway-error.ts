import { type ErrorCode, errorCodes, type LogLevel } from './error-codes.ts';

/** One thing that is wrong with a document. `pointer` is an RFC 6901 JSON pointer into it. */
export interface Problem {
  readonly pointer: string;
  readonly detail: string;
  readonly code?: string;
}

export interface GatewayErrorOptions {
  /** For the log only; never sent to anyone. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** Sent in place of the table’s sentence, where it helps to say more: without values that may be secret. */
  readonly publicMessage?: string;
  /** Sent: what is wrong, where. Must not quote values that may be secret. */
  readonly problems?: readonly Problem[];
}

/** An error with a stable `code`; what is public about it comes from the table of error codes. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly problems: readonly Problem[];
  readonly #publicMessage: string | undefined;

  constructor(code: ErrorCode, options: GatewayErrorOptions = {}) {
    super(options.detail ? `${code}: ${options.detail}` : code, { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.detail = options.detail;
    this.problems = options.problems ?? [];
    this.#publicMessage = options.publicMessage;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }

  get publicMessage(): string {
    return this.#publicMessage ?? errorCodes[this.code].message;
  }

  get level(): LogLevel {
    return errorCodes[this.code].level;
  }
}

/** Anything thrown, as a `GatewayError`; what nobody foresaw becomes `internal`. */
export function toGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError('internal', { cause: thrown });
}
