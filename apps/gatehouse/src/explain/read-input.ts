import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CommandFailure, exitCodes } from '../command-failure.ts';
import type { ExplainOptions } from './explain.ts';
import { findHarRequest, type HarTarget } from './find-har-request.ts';

/**
 * What is asked, as the REST API takes it.
 * @throws CommandFailure
 */
export async function readInput(target: HarTarget, { header = [], request: method, curl, har }: ExplainOptions, standardInput: NodeJS.ReadableStream = process.stdin): Promise<object> {
  const isMade = header.length > 0 || method !== undefined;
  if ([isMade, curl !== undefined, har !== undefined].filter(Boolean).length > 1) throw wrong('Give the request in one way: by -H and -X, by --curl, or by --har.');
  if (curl !== undefined) return { curl: curl === '-' ? await text(standardInput) : curl };
  if (har !== undefined) return { har: findHarRequest(har === '-' ? await text(standardInput) : await textOf(har), target) };
  const malformed = header.findIndex((line) => !/^[^:\s]+:/.test(line));
  // Without the line: of `-H "Bearer …"` it is a secret, and errors end up in logs.
  if (malformed !== -1) throw wrong(`-H number ${malformed + 1} is not a header: write "Name: value".`);
  return { request: { ...(method !== undefined && { method }), headers: header } };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandFailure(`${file} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}`, { cause: error });
  }
}

const wrong = (message: string): CommandFailure => new CommandFailure(message, { exitCode: exitCodes.usage });
