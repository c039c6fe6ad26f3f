import { GatewayError } from '@gatehouse/errors';
import type { FastifyInstance } from 'fastify';

export const maxBodyBytes = 1_048_576;
/** Far beyond any document; without a bound, recursion over what was sent could exhaust the stack. */
const maxDepth = 64;

const mediaTypes = ['application/json', 'application/merge-patch+json'];

/** JSON and merge patches are read; of everything else Fastify says 415. */
export function readJsonBodies(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(mediaTypes, { parseAs: 'string', bodyLimit: maxBodyBytes }, (_request, text, done) => {
    try {
      done(null, parseJson(text as string));
    } catch (error) {
      done(error as Error);
    }
  });
}

/**
 * An empty body is no body: clients send the content type with DELETE too.
 * @throws GatewayError malformed_json
 */
function parseJson(text: string): unknown {
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    // Without its cause: the parser's message quotes the text around the mistake.
    throw new GatewayError('malformed_json');
  }
  if (isDeeperThan(value, maxDepth)) {
    throw new GatewayError('malformed_json', { problems: [{ pointer: '', detail: `must not be nested deeper than ${maxDepth} levels`, code: 'too_deep' }] });
  }
  return value;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item as Record<string, unknown>) : []));
  }
  return false;
}
