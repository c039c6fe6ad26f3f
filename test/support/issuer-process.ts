import { type IdentityProviderOptions, startIdentityProvider } from './identity-provider.ts';

/** What the issuer is told while it runs, one line of JSON each. */
type Message = Parameters<Awaited<ReturnType<typeof startIdentityProvider>>['put']>[0];

const provider = await startIdentityProvider(JSON.parse(process.argv[2] ?? '') as IdentityProviderOptions);
process.on('message', (person: Message) => {
  provider.put(person);
  process.send?.('known');
});
process.send?.({ issuer: provider.issuer, clientId: provider.clientId, clientSecret: provider.clientSecret });
