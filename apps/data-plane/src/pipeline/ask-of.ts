import { askApi } from '../api/ask-api.ts';
import { DirectAsk } from '../direct/direct-ask.ts';
import type { AdmittedCall } from './admitted-call.ts';
import type { Ask } from './ask.ts';
import type { CallRecord } from './call-record.ts';
import type { Gateway } from './gateway.ts';
import { McpAsk } from './mcp-ask.ts';
import type { Reply } from './request.ts';

/** @returns what the upstream is asked; a reply where the gateway itself knows the answer */
export function askOf(gateway: Gateway, admitted: AdmittedCall, record: CallRecord): Ask | Reply {
  if (admitted.route.endpoint === 'api') return new DirectAsk(gateway, admitted, record);
  if (admitted.server.operations !== undefined) return askApi(gateway, admitted, record);
  return new McpAsk(gateway, admitted, record);
}
