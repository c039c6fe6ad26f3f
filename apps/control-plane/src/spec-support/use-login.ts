import { afterAll, beforeAll } from 'vitest';
import { type IdentityProvider, type IdentityProviderOptions, startIdentityProvider } from '../../../../test/support/identity-provider.ts';
import { TestBrowser } from '../../../../test/support/test-browser.ts';
import { type ControlPlaneFixture, useControlPlane } from './use-control-plane.ts';

/** What browsers know the control plane as; wherever it really listens. */
export const publicOrigin = 'https://gatehouse.example';

export interface LoginFixture extends ControlPlaneFixture {
  readonly provider: IdentityProvider;
  /** A browser of its own, with nothing in it. */
  browser(): TestBrowser;
}

export const ana = { subject: 'ana', email: 'ana@corp.example', emailVerified: true, name: 'Ana Martín', groups: ['sales', 'platform'] } as const;
export const ben = { subject: 'ben', email: 'ben@corp.example', emailVerified: true, name: 'Ben', groups: ['support'] } as const;

/** The provider as its document has it. */
export const providerDocument = (provider: IdentityProvider, overrides: Readonly<Record<string, unknown>> = {}) => ({
  name: 'corp',
  title: 'Corp',
  issuer: provider.issuer,
  clientId: provider.clientId,
  clientSecret: provider.clientSecret,
  scopes: ['profile', 'email', 'groups', 'offline_access'],
  roles: { admin: ['platform'] },
  ...overrides,
});

/** A control plane behind a public name, and a real provider that is registered with it as `corp`. */
export function useLogin(environment: Readonly<Record<string, string>> = {}, options: Partial<IdentityProviderOptions> = {}): LoginFixture {
  const fixture = useControlPlane({ GATEHOUSE_CONTROL_PLANE_URL: publicOrigin, GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback', ...environment });
  let provider: IdentityProvider | undefined;
  beforeAll(async () => {
    provider = await startIdentityProvider({ redirectUris: [`${publicOrigin}/login/callback/corp`], people: [ana, ben], ...options });
    const reply = await fixture.plane.send('POST', '/v1/identity-providers', { body: providerDocument(provider) });
    if (reply.status !== 201) throw new Error(`the provider was not registered: ${reply.text}`);
  });
  afterAll(() => provider?.close());
  return {
    get plane() {
      return fixture.plane;
    },
    get postgres() {
      return fixture.postgres;
    },
    get databaseUrl() {
      return fixture.databaseUrl;
    },
    query: (text, parameters) => fixture.query(text, parameters),
    get provider() {
      if (provider === undefined) throw new Error('not started yet');
      return provider;
    },
    browser: () => new TestBrowser({ servers: { [publicOrigin]: () => fixture.plane.url } }),
  };
}

/** Logs in at the provider, from wherever the browser is sent there. */
export async function logIn(browser: TestBrowser, subject: string, path = '/login?return_to=/openapi.json'): Promise<Awaited<ReturnType<TestBrowser['open']>>> {
  const form = await browser.open(`${publicOrigin}${path}`);
  return form.forms.length === 0 ? form : browser.submit(form, { login: subject });
}
