import type { Problem } from '@gatehouse/errors';
import { z } from 'zod';
import type { GivenRequest } from './given-request.ts';
import { HeaderRows } from './header-rows.ts';
import { pathOf } from './path-of.ts';
import { documentProblems } from '../../http/parse-document.ts';

/** Of HAR 1.2 (sections request, headers, postData) what makes a request; there is more in one. */
const harRequest = z.looseObject({
  method: z.string().regex(/^[A-Za-z]{1,32}$/, 'must be a method such as POST'),
  url: z.string(),
  headers: z.array(z.looseObject({ name: z.string(), value: z.string() })),
  postData: z.looseObject({ text: z.string().optional() }).optional(),
});

/** The request of a HAR entry, or of the request alone. */
export function readHarRequest(har: Readonly<Record<string, unknown>>): GivenRequest | { readonly problems: readonly Problem[] } {
  const isEntry = har['request'] !== undefined;
  const base = isEntry ? '/har/request' : '/har';
  const document = isEntry ? har['request'] : har;
  const problems = documentProblems(harRequest, document);
  if (problems.length > 0) return { problems: problems.map((problem) => ({ ...problem, pointer: `${base}${problem.pointer}` })) };
  const { method, url, headers, postData } = harRequest.parse(document);
  const rows = new HeaderRows();
  for (const [index, { name, value }] of headers.entries()) {
    // Pseudo-headers (RFC 9113 section 8.3.1) are the request line of HTTP/2; HTTP/1.1 has it elsewhere.
    if (!name.startsWith(':')) rows.add(name, value, `${base}/headers/${index}/name`);
  }
  if (rows.problems.length > 0) return { problems: rows.problems };
  return { method: method.toUpperCase(), path: pathOf(url), rows: rows.rows, body: postData?.text };
}
