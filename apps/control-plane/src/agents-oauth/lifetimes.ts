const minute = 60;
const day = 24 * 3600;

/** How long things live, in seconds. */
export const lifetimes = {
  /** Short, because a data plane believes it without asking. */
  accessToken: 5 * minute,
  /** Between the redirect to the client and its request for the token (RFC 6749 section 4.1.2 recommends ten minutes at most). */
  authorizationCode: minute,
  /** To read the page and to log in, at a provider that may want a second factor. */
  interaction: 30 * minute,
  idToken: 10 * minute,
  /** Without being used; each use gives another one. */
  refreshToken: 30 * day,
  /** After its first use: in which it may be used again, if nothing was done with what it gave. */
  refreshTokenGrace: 30,
  /** However often it is used: then the person is asked again. */
  grant: 365 * day,
  /** A client that registered itself, until somebody allows it something; strangers register as many as they like. */
  newClient: day,
  /** A client that is not used any more. */
  client: 90 * day,
  /**
   * What is revoked is named to data planes for longer than its last token lives and their streams may stay open after that (24
   * hours, open-streams.ts): whatever their clocks say, and however late a revision reaches them.
   */
  revocation: 25 * 3600,
} as const;
