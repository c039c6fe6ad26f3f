import type { Admission } from './admission.ts';
import type { AdmittedCall } from './admitted-call.ts';
import type { Ask } from './ask.ts';
import type { CallRecord } from './call-record.ts';
import { type SendCall, sendInSession } from './connect/send-in-session.ts';
import { tellWhenConnected } from './connect/tell-when-connected.ts';
import { filterTools } from './filter-tools.ts';
import type { Gateway } from './gateway.ts';
import { relayMessage, relayStream } from './relay-legacy-sse.ts';
import type { Reply, UpstreamResponse } from './request.ts';
import { shapeResponse } from './shape-response.ts';

/** A remote MCP server is asked what the caller asks, in the caller's own bytes, and answers in its own. */
export class McpAsk implements Ask {
  readonly #gateway: Gateway;
  readonly #admitted: AdmittedCall;
  readonly #record: CallRecord;

  /** @throws GatewayError session_required, session_not_found */
  constructor(gateway: Gateway, admitted: AdmittedCall, record: CallRecord) {
    this.#gateway = gateway;
    const { route, call } = admitted;
    this.#admitted = route.endpoint === 'sse-messages' ? { ...admitted, call: { ...call, path: relayMessage(route, call, gateway) } } : admitted;
    this.#record = record;
  }

  send(send: SendCall): Promise<UpstreamResponse> {
    const { server, call, headers } = this.#admitted;
    return sendInSession(server, this.#gateway.connecting.upstreamSessions, call, headers, send);
  }

  reply(response: UpstreamResponse, admission: Admission): Reply | Promise<Reply> {
    const { server, call } = this.#admitted;
    const shaped = shapeResponse(server, call, this.#record.verdicts ?? [], response, this.#gateway.shapeContext);
    const filtered = server.tools === undefined ? shaped : filterTools(server.tools, shaped, this.#gateway.limits.filteredBytes);
    return filtered instanceof Promise ? filtered.then((reply) => this.#finish(reply, admission)) : this.#finish(filtered, admission);
  }

  #finish(reply: Reply, admission: Admission): Reply {
    const { route, server, call } = this.#admitted;
    const told = tellWhenConnected(this.#gateway.connecting.pending, admission, call, reply);
    const relayed = route.endpoint === 'sse' ? relayStream(told, server, call, this.#gateway) : told;
    return relayed.isEventStream ? { ...relayed, admission, onlyListens: call.listens } : relayed;
  }
}
