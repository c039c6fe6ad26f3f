import { readdirSync } from 'node:fs';
import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import type { CatalogEntry } from './catalog-entry.ts';
import { loadCatalog } from './load-catalog.ts';
import { resolveApp } from './resolve-app.ts';

const catalog = loadCatalog();
const entries = [...catalog.values()];

const wanted = [
  'google', 'github', 'gitlab', 'slack', 'atlassian', 'microsoft', 'notion', 'linear', 'asana', 'salesforce', 'hubspot', 'zendesk', 'dropbox', 'box', 'figma', 'zoom',
  'discord', 'stripe', 'intuit', 'okta', 'auth0', 'keycloak', 'cognito', 'sentry', 'datadog', 'airtable', 'shopify', 'monday', 'clickup', 'calendly', 'bitbucket', 'spotify',
];

it('has every file, and at least the providers that people ask for', () => {
  expect(catalog.size).toBe(readdirSync(new URL('../providers/', import.meta.url)).length);
  expect([...catalog.keys()]).toEqual(expect.arrayContaining(wanted));
});

const urlsOf = ({ issuer, authorizationUrl, tokenUrl, refreshUrl, revocationUrl }: CatalogEntry): string[] =>
  [issuer, authorizationUrl, tokenUrl, refreshUrl, revocationUrl].filter((url) => url !== undefined);

const examplesOf = ({ variables }: CatalogEntry) => Object.fromEntries(variables.map(({ name, example }) => [name, example]));

describe.each(entries.map((entry) => [entry.id, entry] as const))('%s', (_id, entry) => {
  it('declares the variables of its URLs, and uses those that it declares', () => {
    const used = urlsOf(entry).flatMap((url) => [...url.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name));
    expect(new Set(used)).toEqual(new Set(entry.variables.map(({ name }) => name)));
  });

  it('becomes a usable app with the examples of its variables', () => {
    const resolution = resolveApp({ provider: entry.id, clientId: 'id', clientSecret: new Secret('s'), variables: examplesOf(entry) }, catalog);
    if (!('app' in resolution)) throw new Error(JSON.stringify(resolution));
    const { app } = resolution;
    for (const url of [app.authorizationUrl, app.tokenUrl, app.refreshUrl, app.revocationUrl, app.issuer]) if (url !== undefined) expect(new URL(url)).toMatchObject({ protocol: 'https:', search: '' });
    expect(app.clientAuth).not.toBe('none');
  });

  it('takes its own defaults', () => {
    const values = Object.fromEntries(entry.variables.map(({ name, example, default: preset }) => [name, preset ?? example]));
    expect(resolveApp({ provider: entry.id, clientId: 'id', variables: values }, catalog)).toHaveProperty('app');
  });

  it('says how a token is given back where it has a URL for it, and that there is no way where it has none', () => {
    expect(entry.revocationUrl !== undefined).toBe(entry.revocation !== 'none' && entry.revocation !== 'github');
    if (entry.revocation === 'none') expect(entry.notes.join(' ')).toMatch(/disconnecting forgets|revo/i);
  });

  it('says what is not certain', () => {
    const text = entry.notes.join(' ');
    if (entry.pkce === 'unknown') expect(text).toContain('PKCE');
    expect(entry.scopes.known).toEqual(expect.arrayContaining([...entry.scopes.default, ...(entry.scopes.always ?? [])]));
  });
});
