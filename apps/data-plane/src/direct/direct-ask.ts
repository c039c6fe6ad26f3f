import type { Credential } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import { directHeaders } from '@gatehouse/upstream-request';
import type { Admission } from '../pipeline/admission.ts';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { Ask } from '../pipeline/ask.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { SendCall } from '../pipeline/connect/send-in-session.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { Call } from '../pipeline/read-call.ts';
import type { Reply, UpstreamResponse } from '../pipeline/request.ts';
import { shapeResponse } from '../pipeline/shape-response.ts';
import { directReplyHeaders } from './direct-reply-headers.ts';

/** An API is asked what its caller asks, in plain HTTP. */
export class DirectAsk implements Ask {
  readonly #gateway: Gateway;
  readonly #admitted: AdmittedCall;
  readonly #record: CallRecord;
  readonly #call: Call;
  #credentials: readonly Credential[] = [];

  constructor(gateway: Gateway, admitted: AdmittedCall, record: CallRecord) {
    const { server, snapshot, call, request, headers } = admitted;
    this.#gateway = gateway;
    this.#admitted = admitted;
    this.#record = record;
    this.#call = { ...call, ownHeaders: directHeaders(request.headers, headers.nominated, server.headerRules.under(snapshot.headerPolicy)) };
  }

  /** @throws GatewayError request_not_repeated */
  send(send: SendCall, credentials: readonly Credential[]): Promise<UpstreamResponse> {
    if (this.#call.upload?.isTaken === true) throw new GatewayError('request_not_repeated');
    this.#credentials = credentials;
    return send(this.#call, this.#admitted.headers);
  }

  reply(response: UpstreamResponse, admission: Admission): Reply {
    const { server, headers: { origin } } = this.#admitted;
    const shaped = shapeResponse(server, this.#call, this.#record.verdicts ?? [], response, this.#gateway.shapeContext);
    const route = { server, prefix: `${this.#gateway.publicPath}/api/${server.workspace}/${server.name}`, path: this.#call.path ?? '', credentials: this.#credentials };
    const headers = directReplyHeaders(shaped.headers, response.headers['location'], route);
    // Pages may read what the API says of its answers.
    if (origin !== undefined) headers.push('access-control-expose-headers', '*');
    // Only a stream of events can be ended at any time, and is still what it was.
    return shaped.isEventStream === true ? { ...shaped, headers, admission, onlyListens: this.#call.method === 'GET' } : { ...shaped, headers };
  }
}
