import { httpUrl, slug } from '@gatehouse/config-fields';
import { z } from 'zod';

/** An https URL, or what becomes one when its {variables} are put in. */
const urlTemplate = z
  .string()
  .regex(/^(https:\/\/[^\s/?#]|\{[a-z]+\})[^\s?#]*$/, 'must be an https URL, or begin with a {variable} that is one')
  .max(2048);

const webPage = httpUrl('URL').regex(/^https:/, 'must begin with https://');

/** What stands for a variable in the URLs of a provider, and therefore cannot lead to another host or path than was meant. */
const variable = z
  .strictObject({
    name: z.string().regex(/^[a-z]{1,20}$/),
    title: z.string().min(1).max(100),
    /** `host`: a domain name; `label`: one part of a domain name; `segment`: of a path; `url`: an https URL, path allowed. */
    format: z.enum(['host', 'label', 'segment', 'url']),
    example: z.string().min(1).max(200),
    default: z.string().min(1).max(200).optional(),
  })
  .meta({ id: 'CatalogVariable' });

const scopeName = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/);
const parameters = z.record(z.string().min(1).max(100), z.string().max(1024));

const refresh = z
  .strictObject({
    issued: z
      .enum(['always', 'asked', 'setting', 'never'])
      .meta({ description: 'Whether there is a refresh token: always; when asked for, which the gateway does; when the app is set so at the provider; never.' }),
    rotates: z.boolean().meta({ description: 'A refresh token is good for one use; true where it is not known.' }),
    reuseSeconds: z.number().positive().optional().meta({ description: 'For so long one that was used is taken again.' }),
    idleDays: z.number().positive().optional().meta({ description: 'A refresh token that was not used for so long is dropped.' }),
    maxDays: z.number().positive().optional().meta({ description: 'After so long the user has to connect again, however often it was used.' }),
  })
  .meta({ id: 'CatalogRefresh' });

/** What is known of a provider: one file of `providers/`. What could not be confirmed is absent, and a note says so. */
export const catalogEntry = z
  .strictObject({
    id: slug('Id'),
    title: z.string().min(1).max(100),
    variables: z.array(variable).max(4),
    issuer: urlTemplate.optional(),
    authorizationUrl: urlTemplate,
    tokenUrl: urlTemplate,
    refreshUrl: urlTemplate.optional().meta({ description: 'Where tokens are refreshed, if not at the token URL.' }),
    revocationUrl: urlTemplate.optional(),
    revocation: z
      .enum(['rfc7009', 'github', 'bearer-post', 'bearer-delete', 'none'])
      .meta({ description: 'How a token is given back: RFC 7009, GitHub’s own API, a request that the access token itself authenticates, or not at all.' }),
    clientAuth: z.array(z.enum(['basic', 'post', 'none'])).min(1).max(3).meta({ description: 'How the token endpoint lets a client prove who it is; the first is used. none: public clients may exist.' }),
    pkce: z.enum(['required', 'supported', 'unsupported', 'unknown']).meta({ description: 'PKCE with S256 is used unless it is unsupported; unknown parameters are ignored (RFC 6749 section 3.1).' }),
    scopes: z
      .strictObject({
        default: z.array(scopeName).max(50).meta({ description: 'Asked for where an app names none.' }),
        always: z.array(scopeName).max(5).optional().meta({ description: 'Asked for besides whatever an app names, such as for a refresh token.' }),
        known: z.array(scopeName).max(200).meta({ description: 'The usual ones; others are a warning where `complete` says so.' }),
        complete: z.boolean().meta({ description: 'The provider has no others than the known ones.' }),
        separator: z.enum([' ', ',']),
        parameter: z.string().min(1).max(50).optional().meta({ description: 'The parameter they are sent in; scope when absent.' }),
      })
      .meta({ id: 'CatalogScopes' }),
    authorizationParameters: parameters.optional(),
    tokenParameters: parameters.optional(),
    tokenRequest: z.enum(['form', 'json']).optional(),
    tokensAt: z.string().regex(/^(\/[^/]+)+$/).optional(),
    refresh,
    notes: z.array(z.string().min(1).max(600)).max(20).meta({ description: 'Quirks, and what could not be confirmed.' }),
    registration: webPage.meta({ description: 'Where an app is registered, or the page that says how.' }),
    documentation: webPage.meta({ description: 'The provider’s own reference.' }),
    sources: z.array(webPage).min(1).max(20).meta({ description: 'Where the facts were read.' }),
    checkedAt: z.iso.date(),
  })
  .meta({ id: 'CatalogEntry' });

export type CatalogEntry = z.output<typeof catalogEntry>;
export type CatalogVariable = CatalogEntry['variables'][number];
