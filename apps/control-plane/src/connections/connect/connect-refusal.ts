/** Why nothing was connected, as far as a person can do something about it, or tell someone who can. */
export type RefusalReason =
  | 'link_unknown'
  | 'link_expired'
  | 'link_used'
  | 'other_person'
  | 'not_an_administrator'
  | 'owner_gone'
  | 'state_unknown'
  | 'other_issuer'
  | 'denied'
  | 'refused_by_provider'
  | 'code_refused'
  | 'misconfigured'
  | 'provider_unavailable'
  | 'cannot_register'
  | 'cannot_discover';

export interface RefusalDetails {
  /** What people call the app. */
  readonly app?: string;
  /** A provider's own words, clean. */
  readonly words?: string;
  /** For whoever administers the gateway: names and what to enter or to look at. */
  readonly facts?: Readonly<Record<string, string>>;
  /** For the log. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/** Ends an attempt to connect with a page that says why. Nothing is stored that was not there before. */
export class ConnectRefusal extends Error {
  readonly reason: RefusalReason;
  readonly details: RefusalDetails;

  constructor(reason: RefusalReason, details: RefusalDetails = {}) {
    super(details.detail ?? reason, { cause: details.cause });
    this.name = 'ConnectRefusal';
    this.reason = reason;
    this.details = details;
  }
}
