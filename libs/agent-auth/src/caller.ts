/** Who calls the data plane. */
export interface Caller {
  /** Stable and unique in a workspace: sessions are bound to it, call events name it. */
  readonly id: string;
  readonly kind: 'anonymous' | 'service-account' | 'token';
  readonly name: string;
  readonly groups: readonly string[];
  /** What a verified token says of its caller; never logged. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** The caller of a server that checks nothing. */
export const anonymousCaller: Caller = { id: 'anonymous', kind: 'anonymous', name: 'anonymous', groups: [] };
