/** A made-up or pasted request, as it would reach a data plane. */
export interface GivenRequest {
  readonly method: string;
  /** Path and query, where the request has a URL. */
  readonly path: string | undefined;
  /** The headers that were given, flat, each value in the bytes of the wire. */
  readonly rows: readonly string[];
  /** `undefined` where none was given. */
  readonly body: string | undefined;
  /** What its client would send for `Accept` by itself, if that is known. */
  readonly ownAccept?: string;
  /** Whether text that a shell would replace (`$TOKEN`) is in it as it is. */
  readonly hasShellExpansions?: boolean;
  /** Whether its client would call the body a form by itself. */
  readonly sendsFormByItself?: boolean;
}
