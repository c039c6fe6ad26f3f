import { GatewayError, type Problem } from '@gatehouse/errors';
import type { ToolsSource } from '@gatehouse/gateway-config';
import { type ImportedTools, readTools } from './read-tools.ts';

/* What runs in a process of its own (import-process.ts). */

export interface ImportQuestion {
  readonly tools: ToolsSource;
  readonly text: string | object;
}

export type ImportOutcome = { readonly imported: ImportedTools } | { readonly problems: readonly Problem[] };
export type ImportAnswer = ImportOutcome | { readonly error: unknown };

function answer({ tools, text }: ImportQuestion): ImportAnswer {
  try {
    return { imported: readTools(tools, text) };
  } catch (error) {
    return error instanceof GatewayError && error.code === 'validation_failed' ? { problems: error.problems } : { error };
  }
}

// Without a parent that listens, it ends.
process.on('message', (question: ImportQuestion) => process.send?.(answer(question)));
