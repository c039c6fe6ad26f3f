import { z } from 'zod';

/** Whose token: a person's of the control plane, that of whoever an issuer's token is about, or the organisation's. */
export const tokenSubject = z.union([
  z.strictObject({ person: z.uuid() }),
  z.strictObject({ issuer: z.string().min(1).max(2048), subject: z.string().min(1).max(1024) }),
  z.literal('shared'),
]);

/** RFC 6749 section 3.3, within reason. */
export const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/** Of a person's login at their identity provider. */
const loginTokenKind = z.enum(['access-token', 'id-token']);

/** What a data plane asks the token broker for (`POST /internal/tokens`). */
export const tokenRequest = z.object({
  /** The server's id. Which app it refers to, and whether its connection is shared, its document says, and not the caller. */
  server: z.uuid(),
  subject: tokenSubject,
  /** The upstream's URL as the data plane has it: no token is given for one that the document does not name any more. */
  upstream: z.string().max(2048).optional(),
  /** SHA-256 (base64url) of an access token that the upstream refused with 401. */
  refused: z.string().regex(/^[\w-]{43}$/).optional(),
  /** Scopes that the upstream named when it answered 403 `insufficient_scope` (RFC 6750 section 3.1). */
  missing: z.array(z.string().regex(scopeToken)).max(50).optional(),
  /** The refused one was new, given in the place of another refused one: refreshing does not help, connecting again may. */
  refusedAgain: z.boolean().optional(),
  /** In place of a connection's token, what the person's identity provider gave when they logged in. */
  login: loginTokenKind.optional(),
  /** Of a login, that by which the agent that calls was let in. What cannot be one is none. */
  grant: z.uuid().optional().catch(undefined),
  /** In place of a connection's token, what the person has entered for the credential of this name. */
  credential: z.string().min(1).max(63).optional(),
});

const connectReason = z.enum(['not_connected', 'scopes', 'refused', 'expired']);

const connectAnswer = <Status extends string>(status: Status) =>
  z.object({
    status: z.literal(status),
    /** Absolute; for the person it was asked for, once, ten minutes. */
    connectUrl: z.string(),
    /** What stands for the link in messages: MCP's `elicitationId`. */
    linkId: z.string(),
    /** What is to be connected: the app, or the server that was discovered. */
    owner: z.string().optional(),
    /** What people call the app. */
    app: z.string(),
    reason: connectReason,
    /** One connection for everyone, which an administrator makes. */
    shared: z.boolean().optional(),
    /** What is missing is no account, but a credential of this title that the person enters. */
    credential: z.boolean().optional(),
  });

/** All of them answer 200. Members that a data plane does not know are left out: a control plane may be newer. */
export const tokenAnswer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('token'),
    accessToken: z.string().min(1),
    /** Milliseconds since the epoch; absent where the provider does not say. */
    expiresAt: z.number().int().optional(),
    /** The same from now on, for those whose clock is another. */
    expiresInMs: z.number().int().optional(),
    connection: z.string(),
    /** The app, or the server that was discovered. */
    owner: z.string(),
    /** Absent for a shared one. */
    person: z.string().optional(),
    /** As it was asked for: a control plane that does not know of logins answers with a connection's token, which stands for nobody. */
    login: loginTokenKind.optional(),
    /** As it was asked for. */
    credential: z.string().optional(),
  }),
  connectAnswer('connect_required'),
  connectAnswer('reconnect_required'),
  z.object({ status: z.literal('provider_unavailable') }),
  z.object({ status: z.literal('misconfigured') }),
  z.object({ status: z.literal('no_person') }),
  /** The person has no login whose tokens could be given: logging in again makes one. */
  z.object({ status: z.literal('no_login') }),
  /** The data plane goes by a document of before: by the next revision it can ask again. */
  z.object({ status: z.literal('outdated') }),
]);

export type LoginTokenKind = z.output<typeof loginTokenKind>;
export type TokenSubject = z.output<typeof tokenSubject>;
export type TokenRequest = z.output<typeof tokenRequest>;
export type TokenAnswer = z.output<typeof tokenAnswer>;
export type ConnectReason = z.output<typeof connectReason>;

/** The path of the broker on the control plane's internal port. */
export const tokensPath = '/internal/tokens';

/**
 * How long the broker may take to answer: it waits for a refresh that another replica has begun, and for that replica's end.
 * Whoever asks waits longer than this.
 */
export const brokerPatienceMs = 20_000;
