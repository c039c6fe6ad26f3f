import { completeExchange, prepareExchange, readableExchange, writableExchange } from '@gatehouse/token-exchange';
import { outboundHeaderSource } from './outbound-header-source.ts';

export const onBehalfOf = outboundHeaderSource({
  type: 'on-behalf-of',
  title: 'On behalf of the caller',
  description: 'A token for whoever calls, exchanged for the one that says who they are. A caller without one has no value; an exchange that is refused ends the call.',
  writable: writableExchange,
  complete: completeExchange,
  readable: readableExchange,
  prepare: (config) => ({ type: 'on-behalf-of', credentialKind: 'exchanged', missing: 'subject_token_missing', ...prepareExchange(config) }),
});
