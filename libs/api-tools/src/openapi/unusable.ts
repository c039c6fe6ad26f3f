/** Why an operation of a document becomes no tool. */
export type LeftOutReason =
  | 'remote_ref'
  | 'broken_ref'
  | 'invalid_path'
  | 'method_unsupported'
  | 'other_server'
  | 'unsupported_parameter'
  | 'unsupported_body'
  | 'schema_too_large'
  | 'too_many'
  | 'excluded'
  | 'unreadable';

/** Its beginning says where to look. */
const maxPointer = 2_000;

/** Thrown where an operation turns out to be none that a tool can be made of; the import goes on with the next. */
export class Unusable extends Error {
  readonly reason: LeftOutReason;
  /** Into the document. */
  readonly pointer: string;

  constructor(reason: LeftOutReason, pointer: string, detail: string) {
    super(detail);
    this.name = 'Unusable';
    this.reason = reason;
    this.pointer = pointer.slice(0, maxPointer);
  }
}

/** Something of an operation that its tool does not have, or that the document has wrong. */
export interface ImportWarning {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}
