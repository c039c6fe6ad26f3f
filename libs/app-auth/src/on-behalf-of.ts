import { completeBoundExchange, missingSubject, prepareExchange, readableBoundExchange, writableBoundExchange } from '@gatehouse/token-exchange';
import { appAuthType } from './app-auth-type.ts';
import { credentialOfToken } from './credential-of-token.ts';

export const onBehalfOf = appAuthType({
  type: 'on-behalf-of',
  title: 'On behalf of the caller',
  description: 'The token that says who calls is exchanged for one that the upstream takes: at the upstream’s own provider, for each caller, and no longer than the caller’s lives.',
  writable: writableBoundExchange,
  complete: completeBoundExchange,
  readable: readableBoundExchange,
  prepare: (config) => {
    const { wouldCall, obtain } = prepareExchange(config, config.dpop);
    return {
      type: 'on-behalf-of',
      credentialKind: 'exchanged',
      headerNames: config.dpop === true ? ['Authorization', 'DPoP'] : ['Authorization'],
      storesCredential: true,
      wouldCall,
      obtain: (context) => credentialOfToken(obtain(context) ?? missingSubject(config.subject, context.caller)),
    };
  },
});
