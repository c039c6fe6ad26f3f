import { type ApiOperation, type ApiRequest, resultOf, type ToolResult } from '@gatehouse/api-tools';
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
    const isRefusal = response.status === 401;
    if (isRefusal && sentCallersCredential(server, this.#record.verdicts ?? [])) return this.#challenge(response);
    const answer = await readAnswer(response, server.upstream.streamIdleTimeoutMs ?? this.#gateway.timeouts.streamIdleMs);
    const result = resultOf(this.#operation, answer);
    const told = isRefusal && server.appAuth.storesCredential ? this.#withRefusal(result) : result;
    return jsonReply(200, toolCallResult(call.message?.id ?? null, told, call.era === 'modern'));
  }

  /** The model can do nothing about the gateway's credential, but somebody has to. */
  #withRefusal(result: ToolResult): ToolResult {
    const error = (this.#record.error = new GatewayError('upstream_rejected_credentials', { detail: 'status 401' }));
    return { ...result, content: [{ type: 'text', text: `${error.code}: ${error.publicMessage}` }, ...result.content] };
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
