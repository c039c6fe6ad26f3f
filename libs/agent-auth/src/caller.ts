/** Who calls the data plane. */
export interface Caller {
  /** Stable and unique in a workspace: sessions are bound to it, call events name it. */
  readonly id: string;
  readonly kind: 'anonymous' | 'service-account';
  readonly name: string;
  readonly groups: readonly string[];
}

/** The caller of a server that checks nothing. */
export const anonymousCaller: Caller = { id: 'anonymous', kind: 'anonymous', name: 'anonymous', groups: [] };
