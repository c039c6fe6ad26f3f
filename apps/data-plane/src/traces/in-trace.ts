import type { TokenSource } from '@gatehouse/access-tokens';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { ForwardedCall } from '../pipeline/forwarded-call.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { UpstreamResponse } from '../pipeline/request.ts';
import type { CallTrace } from './call-trace.ts';
import { TracedTokens } from './traced-tokens.ts';
import type { UpstreamAttempt } from './upstream-attempt.ts';

/*
 * The parts of a call as spans of its trace, so that the page of the pipeline reads the same with one and without. Without, each is
 * what was given, and nothing is made for it: no closure is written here, since it would cost the others its scope.
 */

export const tokensIn = (trace: CallTrace | undefined, tokens: TokenSource): TokenSource => (trace === undefined ? tokens : new TracedTokens(tokens, trace));

/** @param name of the span that waiting for it is */
export const waitingIn = <A, T>(trace: CallTrace | undefined, name: string, work: (argument?: A) => T | Promise<T>): ((argument?: A) => T | Promise<T>) =>
  trace === undefined ? work : trace.waiting(name, work);

export const forwardIn = (attempt: UpstreamAttempt | undefined, gateway: Gateway, forwarded: ForwardedCall, record: CallRecord): Promise<UpstreamResponse> =>
  attempt === undefined ? gateway.forward(forwarded, record) : attempt.send(gateway, forwarded, record);
