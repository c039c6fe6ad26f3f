import { GatewayError } from '@gatehouse/errors';
import type { CallerHeaders } from './caller-headers.ts';

/**
 * Only what is read can be checked: a compressed body would pass unread.
 * @throws GatewayError unsupported_media_type
 */
export function checkContentType({ contentType, contentEncoding }: Pick<CallerHeaders, 'contentType' | 'contentEncoding'>): void {
  const isJson = contentType !== undefined && /^application\/json\s*(;|$)/i.test(contentType);
  const isPlain = contentEncoding === undefined || contentEncoding.toLowerCase() === 'identity';
  if (!isJson || !isPlain) throw new GatewayError('unsupported_media_type');
}
