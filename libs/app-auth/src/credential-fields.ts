import { headerName, isHeaderValue } from '@gatehouse/config-fields';
import { isReservedHeader } from '@gatehouse/header-policy';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';

/** A header that a credential may be put into: not one of the connection's, the protocol's or the gateway's own. */
export const credentialHeaderName = (title = 'Header name') =>
  headerName(title).refine((name) => !isReservedHeader(name), 'is written by the gateway or the protocol itself and cannot carry a credential');

/** Refines any view of a secret: where it is text, it must be fit for a header. */
export function fitForHeader<S extends z.ZodType>(schema: S): S {
  return schema.refine(
    (value) => !(value instanceof Secret) || isHeaderValue(value.reveal()),
    'must not contain line breaks or other control characters',
  );
}
