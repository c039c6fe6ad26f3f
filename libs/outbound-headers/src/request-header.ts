import { headerName } from '@gatehouse/config-fields';
import { neverLeaves } from '@gatehouse/header-policy';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { outboundHeaderSource } from './outbound-header-source.ts';

const schema = z
  .strictObject({
    type: z.literal('request-header'),
    name: headerName('Header name').refine((name) => !neverLeaves(name), 'never leaves: it is the connection’s, the protocol’s, the gateway’s own, or a credential').meta({ description: 'Of the caller’s request.' }),
  })
  .meta({ title: 'Header of the request' });

export const requestHeader = outboundHeaderSource({
  type: 'request-header',
  title: 'Header of the request',
  description: 'What the caller sends in a header, under the name of this one. Restricted headers stay, and with pass-through switched off all of them do.',
  writable: schema,
  complete: schema,
  readable: schema,
  prepare: ({ name }) => ({
    type: 'request-header',
    credentialKind: 'caller',
    obtain: ({ callerHeader }) => {
      const value = callerHeader?.(name);
      return value === undefined ? undefined : new Secret(value);
    },
  }),
});
