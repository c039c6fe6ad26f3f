import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from './prepared-server.ts';

/**
 * Whether a request may be passed on to what is behind a server, as far as its body and its path have no part in it.
 * @throws GatewayError not_found, tool_not_allowed, method_not_allowed, upgrade_not_supported, transfer_coding_not_supported,
 * origin_not_allowed
 */
export function checkDirectCall({ operations, tools, limits }: Pick<PreparedServer, 'operations' | 'tools' | 'limits'>, method: string, rows: readonly string[]): void {
  if (operations === undefined) throw new GatewayError('not_found', { publicMessage: 'This server is not of type api: there is nothing behind it that takes plain HTTP. Its MCP endpoint is under /mcp.' });
  // Rules allow operations by the names that they have as tools. Which of them a path is, nobody can say for sure.
  if (tools !== undefined) throw new GatewayError('tool_not_allowed', { publicMessage: 'This server has rules for its tools (access.tools), and a direct call would go past them: it can be called by its tools only.' });
  // The same holds of counting them.
  if (limits?.byTool === true) throw new GatewayError('tool_not_allowed', { publicMessage: 'This server has limits for its tools (limits.rates), and a direct call would go past them: it can be called by its tools only.' });
  // Neither has a meaning for a resource behind a gateway (RFC 9110 sections 9.3.6 and 9.3.8): TRACE would show the gateway's own headers.
  if (method === 'TRACE' || method === 'CONNECT') throw new GatewayError('method_not_allowed');
  checkRows(rows);
}

function checkRows(rows: readonly string[]): void {
  let [site, hasOrigin] = ['', false];
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const name = (rows[index] as string).toLowerCase();
    const value = rows[index + 1] as string;
    // A newer HTTP is an offer that may be declined in silence (RFC 9110 section 7.8); whoever asks for another protocol needs it.
    if (name === 'upgrade' && !value.split(',').every((protocol) => newerHttp.test(protocol))) throw new GatewayError('upgrade_not_supported');
    if (name === 'origin') hasOrigin = true;
    if (name === 'sec-fetch-site') site = value;
    // The parser has taken off the chunks and no more; what is left is not the body (RFC 9112 section 6.1).
    if (name === 'transfer-encoding' && value.toLowerCase() !== 'chunked') throw new GatewayError('transfer_coding_not_supported');
  }
  // What a page of another site makes a browser fetch without asking (an image, a link), and so without an Origin that was checked
  // (Fetch Metadata section 2.3): behind an open server it would have the gateway's credential.
  if (!hasOrigin && (site === 'cross-site' || site === 'same-site')) throw new GatewayError('origin_not_allowed');
}

const newerHttp = /^\s*(?:h2c|HTTP\/|TLS\/|$)/i;
