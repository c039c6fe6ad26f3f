import { connectAction, type InputAnswer, readInputAnswer, requestDigest, type SealedSessions, type SessionOwner } from '@gatehouse/mcp-protocol';

const purpose = 'request-state';

/** What a client said when it was asked to let its person connect an account. */
export interface ConnectResponse {
  /** As it would have been sent the first time. */
  readonly body: Buffer;
  /** `accept`, `decline`, `cancel`, or anything else. */
  readonly action: unknown;
}

/** What the client brings back: for this caller, this server and this request, and for ten minutes. */
export function sealRequestState(states: SealedSessions, owner: SessionOwner, body: Buffer): string {
  return states.seal(purpose, owner, requestDigest(body));
}

/** @returns `undefined` where the state is none of ours: forged, another's, too old, for another request, or the upstream's own */
export function readConnectResponse(states: SealedSessions, owner: SessionOwner, body: Buffer): ConnectResponse | undefined {
  const answer: InputAnswer | undefined = readInputAnswer(body);
  if (answer === undefined || states.open(purpose, owner, answer.requestState) !== requestDigest(answer.body)) return undefined;
  return { body: answer.body, action: connectAction(answer.inputResponses) };
}
