import { hash } from 'node:crypto';
import { type ImportedApi, importGraphql, importOpenApi, readApiDocument, readWrittenOperations } from '@gatehouse/api-tools';
import { GatewayError, type Problem } from '@gatehouse/errors';
import { textOfSource, type ToolsSource } from '@gatehouse/gateway-config';
import { pointerOfSource } from './kept-source.ts';

export interface ImportedTools extends ImportedApi {
  /** SHA-256 of what was read, in hexadecimal digits. */
  readonly sourceDigest: string;
}

/**
 * The tools that a source has.
 * @param text what was given, fetched or answered; of operations that are written out, nothing
 * @throws GatewayError validation_failed, with pointers into the server's document
 */
export function readTools(tools: ToolsSource, text: string | object): ImportedTools {
  const sourceDigest = hash('sha256', textOfSource(text));
  try {
    return { ...importFrom(tools, text), sourceDigest };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'validation_failed') throw error;
    throw new GatewayError('validation_failed', { problems: error.problems.map((problem) => placed(problem, tools)) });
  }
}

const nothingElse = { title: '', version: '', servers: [], suggestedAuth: [], leftOut: [], warnings: [] };

function importFrom({ openapi, graphql, operations }: ToolsSource, text: string | object): ImportedApi {
  if (openapi !== undefined) return importOpenApi(typeof text === 'string' ? readApiDocument(text) : text, openapi);
  if (graphql !== undefined) return { ...nothingElse, ...importGraphql(textOfSource(text), graphql) };
  return { ...nothingElse, operations: readWrittenOperations(operations ?? []) };
}

function placed(problem: Problem, tools: ToolsSource): Problem {
  const { openapi, graphql } = tools;
  // About operations that the server's document itself has.
  if (graphql !== undefined && problem.pointer.startsWith('/operations/')) return { ...problem, pointer: `/tools/graphql${problem.pointer}` };
  const pointer = pointerOfSource(tools);
  const isGiven = openapi?.document !== undefined || graphql?.schema !== undefined || tools.operations !== undefined;
  if (isGiven) return { ...problem, pointer: `${pointer}${problem.pointer}` };
  const [where, detail] = [problem.pointer === '' ? '' : ` (at ${problem.pointer})`, problem.code === 'unreadable' ? 'is neither JSON nor YAML' : problem.detail];
  return { ...problem, pointer, detail: `answers what ${detail}${where}` };
}
