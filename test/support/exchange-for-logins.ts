import { errors } from 'oidc-provider';
import { exchangeGrant, exchangeParameters, type ExchangeProvider } from './exchange-provider.ts';
import { exchangingClient, startExchangeServer } from './exchange-server.ts';

const client = { clientId: 'gatehouse-exchanger', clientSecret: 'client-secret-of-the-exchanger-0123456789' } as const;
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

/** Exchanges what people got when they logged in (RFC 8693): it asks their provider, which it trusts, whose each token is. */
export async function startLoginExchange({ issuer }: { readonly issuer: string }): Promise<ExchangeProvider> {
  const server = await startExchangeServer({
    clients: [exchangingClient(client.clientId, client.clientSecret, [exchangeGrant, 'client_credentials'])],
    grants: [{ name: exchangeGrant, parameters: exchangeParameters, handle: async (context, giving) => {
      const { subject_token: token = '', audience, scope } = context.oidc.params;
      if (audience === 'https://unknown.example') throw new errors.InvalidTarget('no such audience');
      const reply = await fetch(`${issuer}/me`, { headers: { Authorization: `Bearer ${token}` } });
      if (reply.status !== 200) throw new errors.InvalidGrant('the subject token is not valid');
      const { sub: subject } = (await reply.json()) as { sub: string };
      context.body = { access_token: await giving.give(context, { subject, audience, scope }), issued_token_type: accessToken, token_type: 'Bearer', expires_in: 600, scope };
    } }],
  });
  return Object.assign(server, client);
}
