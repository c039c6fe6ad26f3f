import { connectAnswerOf, readInputAnswer, requestDigest, type SealedSessions, type SessionOwner } from '@gatehouse/mcp-protocol';

const purpose = 'request-state';

/** What a client said when it was asked to let its person connect an account. */
export interface ConnectResponse {
  /** As it would have been sent the first time. */
  readonly body: Buffer;
  /** `accept`, `decline`, `cancel`, or anything else; nothing where the state is not good. */
  readonly action: unknown;
  /** What it brought back, as it is. */
  readonly state: string;
}

/** What the client brings back: for this caller, this server and this request, and for as long as connecting may take. */
export function sealRequestState(states: SealedSessions, owner: SessionOwner, body: Buffer): string {
  return states.seal(purpose, owner, requestDigest(body));
}

/**
 * What the gateway asked is answered to the gateway: with a state that is forged, another's, too old or for another request it says
 * nothing, and goes no further all the same. The upstream has never asked for it.
 * @returns `undefined` where it is not answered: then the state is the upstream's own
 */
export function readConnectResponse(states: SealedSessions, owner: SessionOwner, body: Buffer): ConnectResponse | undefined {
  const answer = readInputAnswer(body);
  if (answer === undefined) return undefined;
  const { body: rest, inputResponses, requestState: state = '' } = answer;
  const answered = connectAnswerOf(inputResponses);
  if (answered === undefined) return undefined;
  const isGood = states.open(purpose, owner, state) === requestDigest(rest);
  return { body: rest, action: isGood ? answered.action : undefined, state };
}
