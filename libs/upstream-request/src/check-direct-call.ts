import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from './prepared-server.ts';

/**
 * Whether a request may be passed on to what is behind a server, as far as its body and its path have no part in it.
 * @throws GatewayError not_found, tool_not_allowed, method_not_allowed, upgrade_not_supported, transfer_coding_not_supported
 */
export function checkDirectCall({ operations, tools }: Pick<PreparedServer, 'operations' | 'tools'>, method: string, rows: readonly string[]): void {
  if (operations === undefined) throw new GatewayError('not_found', { publicMessage: 'This server is not of type api: there is nothing behind it that takes plain HTTP. Its MCP endpoint is under /mcp.' });
  // Rules allow operations by the names that they have as tools. Which of them a path is, nobody can say for sure.
  if (tools !== undefined) throw new GatewayError('tool_not_allowed', { publicMessage: 'This server has rules for its tools (access.tools), and a direct call would go past them: it can be called by its tools only.' });
  // Neither has a meaning for a resource behind a gateway (RFC 9110 sections 9.3.6 and 9.3.8): TRACE would show the gateway's own headers.
  if (method === 'TRACE' || method === 'CONNECT') throw new GatewayError('method_not_allowed');
  checkConnection(rows);
}

/** What is about the connection, and can neither be passed on nor be left out. */
function checkConnection(rows: readonly string[]): void {
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const name = (rows[index] as string).toLowerCase();
    const value = rows[index + 1] as string;
    // A newer HTTP is an offer that may be declined in silence (RFC 9110 section 7.8); whoever asks for another protocol needs it.
    if (name === 'upgrade' && !value.split(',').every((protocol) => newerHttp.test(protocol))) throw new GatewayError('upgrade_not_supported');
    // The parser has taken off the chunks and no more; what is left is not the body (RFC 9112 section 6.1).
    if (name === 'transfer-encoding' && value.toLowerCase() !== 'chunked') throw new GatewayError('transfer_coding_not_supported');
  }
}

const newerHttp = /^\s*(?:h2c|HTTP\/|TLS\/|$)/i;
