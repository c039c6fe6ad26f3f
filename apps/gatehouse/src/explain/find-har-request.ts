import { CommandFailure } from '../command-failure.ts';

/** The server that is asked about. */
export interface HarTarget {
  readonly workspace: string;
  readonly server: string;
}

/**
 * The request in a HAR file (HAR 1.2), in one of its entries, or by itself; of several entries the last one for this server.
 * What was answered to it stays here.
 * @throws CommandFailure
 */
export function findHarRequest(text: string, { workspace, server }: HarTarget): unknown {
  const document = parse(text);
  const entries = fieldOf(fieldOf(document, 'log'), 'entries');
  if (!Array.isArray(entries)) return fieldOf(document, 'request') ?? document;
  const requests = entries.map((entry) => fieldOf(entry, 'request'));
  const path = `/mcp/${workspace}/${server}`;
  const found = requests.length === 1 ? requests[0] : requests.findLast((request) => pathOf(fieldOf(request, 'url')) === path);
  if (found === undefined) throw new CommandFailure(`None of the ${requests.length} entries of the HAR file is a request to ${path}.`);
  return found;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Without the parser's message, which quotes what may be a secret.
    throw new CommandFailure('The HAR file is not JSON.', { cause: error });
  }
}

const fieldOf = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined);
const pathOf = (url: unknown): string | undefined => (typeof url === 'string' && URL.canParse(url) ? new URL(url).pathname : undefined);
