import type { ConnectingServer, RefusedToken, TokenSource } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import type { Secret } from '@gatehouse/sealing';
import type { CallerToken } from '@gatehouse/token-exchange';

/** What is said of a caller, to whom. */
export interface IdentityClaims {
  readonly sub: string;
  readonly aud: string;
  readonly [claim: string]: unknown;
}

/** Signs identities for upstreams, which verify them with the gateway's published keys. */
export interface IdentitySigner {
  /** A JWT. */
  readonly sign: (claims: IdentityClaims) => Secret;
}

/** What credentials may depend on, besides their configuration. */
export interface CredentialContext {
  /** Absent where nothing of the server is known but its document. */
  readonly server?: (ConnectingServer & { readonly workspace: string; readonly name?: string; readonly upstream?: { readonly origin: string; readonly url: string } }) | undefined;
  /** Absent where nobody calls, as in a test of the server. */
  readonly caller?: Caller | undefined;
  /** Absent where the caller has none that may go on. */
  readonly callerToken?: CallerToken | undefined;
  /** Absent where nothing may be fetched. */
  readonly tokens?: TokenSource | undefined;
  /** Signs what is known of the caller; absent where nothing may be signed. */
  readonly identity?: IdentitySigner | undefined;
  /** The value of a caller's header, of those that rules let leave; absent where nobody calls. */
  readonly callerHeader?: ((name: string) => string | undefined) | undefined;
  /** What the upstream answered 401 to, just now. */
  readonly refused?: RefusedToken | undefined;
}
