import { applyHeaderRules } from '@gatehouse/header-policy';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { Member } from './members.ts';

/**
 * For whom it is kept what a member lists: for its caller. For nobody where callers are not known apart, or where something that this
 * one sends goes to the member's upstream, which may answer by it: one request's list is not the next one's.
 */
export function scopeOf({ snapshot, caller, request, headers }: AdmittedCall, { server }: Member): string | undefined {
  if (caller.kind === 'anonymous' || server.appAuth.type === 'passthrough') return undefined;
  if (server.outboundHeaders.some(({ source }) => source === 'request-header')) return undefined;
  // The gateway itself lists an API's tools.
  if (server.operations !== undefined) return caller.id;
  try {
    const { headers: passed } = applyHeaderRules(server.headerRules.under(snapshot.headerPolicy), request.headers, headers.nominated, []);
    return passed.length === 0 ? caller.id : undefined;
  } catch {
    // Nothing of it can be sent there.
    return undefined;
  }
}
