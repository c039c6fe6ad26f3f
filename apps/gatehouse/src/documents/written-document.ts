import type { DocumentKind } from './document-kinds.ts';

/** One document of a file, as it was written. */
export interface WrittenDocument {
  /** The file as it was named, `-` for standard input. */
  readonly file: string;
  /** Where in the file it begins, from 1. */
  readonly line: number;
  /** Relative names in the document begin here. */
  readonly folder: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** The line of what a pointer names, as far as it is in the file. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** A document that is fit to be applied. */
export interface CheckedDocument {
  readonly file: string;
  readonly kind: DocumentKind;
  readonly workspace: string;
  readonly name: string;
  /** What is sent: references resolved, `kind` and `workspace` left out. */
  readonly body: Readonly<Record<string, unknown>>;
  /** What it means: parsed by its schema, secrets as `Secret`. */
  readonly parsed: Readonly<Record<string, unknown>>;
}

/** What is wrong with a document, and where. */
export interface DocumentProblem {
  readonly file: string;
  readonly line?: number;
  /** `Server default/orders`, as far as it is known. */
  readonly title?: string;
  readonly pointer?: string;
  readonly detail: string;
}

export const titleOf = ({ kind, workspace, name }: Pick<CheckedDocument, 'kind' | 'workspace' | 'name'>): string =>
  kind.isSingle ? kind.kind : kind.isInWorkspace ? `${kind.kind} ${workspace}/${name}` : `${kind.kind} ${name}`;
