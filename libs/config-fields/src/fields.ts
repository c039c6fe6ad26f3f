import { z } from 'zod';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A name in a URL: lower-case letters, digits and single hyphens, at most 63 characters (as an RFC 1123 label), no UUID. */
export const slug = (title: string) =>
  z
    .string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be text') })
    .max(63, 'must have at most 63 characters')
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters, digits and single hyphens, such as "orders-eu"')
    .refine((value) => !uuid.test(value), 'must not look like an id')
    .meta({ title });

/** An absolute http or https URL without credentials or fragment. */
export const httpUrl = (title: string) =>
  z
    .string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be text') })
    .max(2048)
    .superRefine((value, context) => {
      const problem = urlProblem(value);
      if (problem) context.addIssue({ code: 'custom', message: problem });
    })
    .meta({ title, format: 'uri' });

function urlProblem(value: string): string | undefined {
  if (!URL.canParse(value)) return 'must be an absolute URL, such as https://example.com/mcp';
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username || url.password) return 'must not contain a user name or password; use appAuth for credentials';
  if (url.hash) return 'must not contain a fragment (#…)';
  return undefined;
}

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A header name: any RFC 9110 token, at most 256 characters. */
export const headerName = (title = 'Header name') =>
  z
    .string()
    .max(256)
    .refine((value) => token.test(value), 'is not a header name: only letters, digits and !#$%&\'*+-.^_`|~ are allowed')
    .meta({ title });

export const isHeaderName = (value: string): boolean => value.length <= 256 && token.test(value);

/** Whether a text may be a header value: no control characters but tab (RFC 9110 section 5.5). */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
export const isHeaderValue = (value: string): boolean => !/[\x00-\x08\x0a-\x1f\x7f]/.test(value);
