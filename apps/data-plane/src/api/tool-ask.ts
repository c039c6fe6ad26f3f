import { type ApiAnswer, type ApiOperation, type ApiRequest, resultOf, type ToolResult } from '@gatehouse/api-tools';
import { GatewayError } from '@gatehouse/errors';
import { rpcError, rpcErrorCodes, toolCallResult } from '@gatehouse/mcp-protocol';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { Ask } from '../pipeline/ask.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import { jsonReply } from '../pipeline/connect/connect-answer.ts';
import type { SendCall } from '../pipeline/connect/send-in-session.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { Reply, UpstreamResponse } from '../pipeline/request.ts';
import { sentCallersCredential } from '../pipeline/shape-response.ts';
import { readAnswer } from './read-answer.ts';

/** An API is asked what one of its operations says, and what it answers is the result of a tool. */
export class ToolAsk implements Ask {
  readonly #gateway: Gateway;
  readonly #admitted: AdmittedCall;
  readonly #record: CallRecord;
  readonly #operation: ApiOperation;
  readonly #request: ApiRequest;

  constructor(gateway: Gateway, admitted: AdmittedCall, record: CallRecord, operation: ApiOperation, request: ApiRequest) {
    this.#gateway = gateway;
    this.#admitted = admitted;
    this.#record = record;
    this.#operation = operation;
    this.#request = request;
  }

  send(send: SendCall): Promise<UpstreamResponse> {
    const { method, path, headers, body } = this.#request;
    const { call, headers: callers } = this.#admitted;
    return send({ ...call, method, path, ownHeaders: headers.flat(), body: typeof body === 'string' ? Buffer.from(body) : body }, callers);
  }

  async reply(response: UpstreamResponse): Promise<Reply> {
    const { server, call } = this.#admitted;
    const id = call.message?.id ?? null;
    const isRefusal = response.status === 401;
    if (isRefusal && sentCallersCredential(server, this.#record.verdicts ?? [])) return this.#challenge(response);
    // Whether the gateway's credential is good is not for the caller to find out, but somebody has to.
    if (isRefusal && server.appAuth.storesCredential) this.#record.error = new GatewayError('upstream_rejected_credentials', { detail: 'status 401' });
    const answer = await readAnswer(response, server.upstream.streamIdleTimeoutMs ?? this.#gateway.timeouts.streamIdleMs);
    return jsonReply(200, toolCallResult(id, this.#resultOf(answer), call.era === 'modern'));
  }

  #resultOf(answer: ApiAnswer): ToolResult {
    const result = resultOf(this.#operation, answer);
    const { error } = this.#record;
    return error === undefined ? result : { ...result, content: [{ type: 'text', text: `${error.code}: ${error.publicMessage}` }, ...result.content] };
  }

  /** The credential was the caller's, and so is the answer about it (D8, docs/rules.md). */
  #challenge({ headers, body }: UpstreamResponse): Reply {
    body.abort();
    const { server, call } = this.#admitted;
    const error = (this.#record.error = new GatewayError('upstream_rejected_credentials', { detail: 'the caller’s' }));
    const challenges = [headers['www-authenticate'] ?? []].flat().flatMap((value) => ['www-authenticate', value]);
    const data = { code: error.code, server: `${server.workspace}/${server.name}` };
    return jsonReply(401, rpcError({ id: call.message?.id ?? null, code: rpcErrorCodes.gatewayError, message: 'The API answered 401: it does not take the credential that you sent.', data }), 'application/json', challenges);
  }
}
