import type { RpcId } from '@gatehouse/mcp-protocol';
import { listenMethod } from '../pipeline/read-call.ts';

/** What a member is sent. */
export interface MemberMessage {
  readonly httpMethod: 'POST' | 'GET' | 'DELETE';
  /** As the caller's revision has it. */
  readonly text?: string | undefined;
  readonly method?: string | undefined;
  readonly id?: RpcId;
  /** The member's own name for what it is about. */
  readonly name?: string | undefined;
  readonly lastEventId?: string | undefined;
  /** Where it is not the caller's own message: the modern revision that it is in. */
  readonly revision?: string | undefined;
  /** Whether it is the caller's own call, that may wait until an account is connected. */
  readonly isCall?: boolean;
}

/** What a member is asked that it says by itself what changes there: of the legacy era, and of the modern one. */
export const toListen: MemberMessage = { httpMethod: 'GET' };
const subscriptionId = 'gatehouse-listen';
const subscription = { jsonrpc: '2.0', id: subscriptionId, method: listenMethod, params: { notifications: { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true } } };
export const toSubscribe: MemberMessage = { httpMethod: 'POST', method: listenMethod, id: subscriptionId, text: JSON.stringify(subscription) };
