import type { GlobalHeaderPolicy } from '@gatehouse/gateway-config';
import { leavingValue } from '@gatehouse/header-policy';
import type { CallerHeaders } from './caller-headers.ts';
import type { PreparedServer } from './prepared-server.ts';

/** Reads what of a caller's headers the server's configuration may put into others. Nothing is done before it is asked for. */
export const callerHeaderReader =
  ({ headerRules }: Pick<PreparedServer, 'headerRules'>, policy: GlobalHeaderPolicy, rows: readonly string[], { nominated }: Pick<CallerHeaders, 'nominated'>) =>
  (name: string): string | undefined =>
    leavingValue(headerRules.under(policy), rows, nominated, name);
