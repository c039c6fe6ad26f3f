import { expect, it } from 'vitest';
import { isReservedHeader } from './reserved-names.ts';

it.each(['Host', 'connection', 'Content-Length', 'transfer_encoding', 'Transfer.Encoding', 'Proxy-Authorization', 'X-Gatehouse-Key', 'x_gatehouse_user', 'Mcp-Session-Id', 'Mcp-Param-Region', 'Accept', 'Content-Type', 'Accept-Encoding'])(
  '%s cannot carry a credential',
  (name) => expect(isReservedHeader(name)).toBe(true),
);

it.each(['Authorization', 'X-API-Key', 'Cookie', 'X-Proxy', 'Ocp-Apim-Subscription-Key', 'User-Agent'])('%s can', (name) => expect(isReservedHeader(name)).toBe(false));
