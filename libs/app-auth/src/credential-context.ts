import type { ConnectingServer, RefusedToken, TokenSource } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';

/** What credentials may depend on, besides their configuration. */
export interface CredentialContext {
  /** Absent where nothing of the server is known but its document. */
  readonly server?: (ConnectingServer & { readonly workspace: string }) | undefined;
  /** Absent where nobody calls, as in a test of the server. */
  readonly caller?: Caller | undefined;
  /** Absent where nothing may be fetched. */
  readonly tokens?: TokenSource | undefined;
  /** What the upstream answered 401 to, just now. */
  readonly refused?: RefusedToken | undefined;
}
