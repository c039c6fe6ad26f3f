import { GatewayError, pointerOf, type Problem } from '@gatehouse/errors';
import { readCurlCommand } from './curl-command.ts';
import type { ExplainInput } from './explain-input.ts';
import type { GivenRequest } from './given-request.ts';
import { readHarRequest } from './har-request.ts';
import { HeaderRows } from './header-rows.ts';
import { pathOf } from './path-of.ts';

/**
 * The request that is meant, whichever form it was given in.
 * @throws GatewayError validation_failed
 */
export function readGivenRequest(input: ExplainInput): GivenRequest {
  const read = input.curl !== undefined ? readCurlCommand(input.curl) : input.har !== undefined ? readHarRequest(input.har) : readWrittenRequest(input.request ?? {});
  if ('problems' in read) throw new GatewayError('validation_failed', { problems: read.problems });
  return read;
}

type WrittenRequest = NonNullable<ExplainInput['request']>;

function readWrittenRequest({ method = 'POST', path, headers = [], body }: WrittenRequest): GivenRequest | { readonly problems: readonly Problem[] } {
  const { rows, problems } = Array.isArray(headers) ? readList(headers) : readObject(headers);
  if (problems.length > 0) return { problems };
  return {
    method: method.toUpperCase(),
    path: path === undefined ? undefined : pathOf(path),
    rows,
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  };
}

function readList(headers: readonly (string | { readonly name: string; readonly value: string })[]): HeaderRows {
  const rows = new HeaderRows();
  for (const [index, header] of headers.entries()) {
    const pointer = pointerOf(['request', 'headers', index]);
    if (typeof header === 'string') rows.addLine(header, pointer);
    else rows.add(header.name, header.value, `${pointer}/name`);
  }
  return rows;
}

function readObject(headers: Readonly<Record<string, string>>): HeaderRows {
  const rows = new HeaderRows();
  // A pointer would be made of the name that is wrong, whatever was pasted there.
  for (const [name, value] of Object.entries(headers)) rows.add(name, value, '/request/headers');
  return rows;
}
