export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

interface ErrorCodeEntry {
  readonly status: number;
  readonly message: string;
  readonly level: LogLevel;
}

const entry = (status: number, message: string, level: LogLevel = 'info'): ErrorCodeEntry => ({ status, message, level });

/**
 * Every error Gatehouse answers with: the code a program reads, the HTTP status, the sentence a person reads and the
 * level it is logged at. The sentence is public: it names what to do, never a value of the request.
 */
export const errorCodes = {
  // What the caller sent
  invalid_request: entry(400, 'The request is not valid.'),
  duplicate_header: entry(400, 'A header that may occur once was sent more than once.'),
  header_mismatch: entry(400, 'An MCP header does not match the message it came with.'),
  session_required: entry(400, 'This request needs the session id that initialize returned.'),
  request_timeout: entry(408, 'The request did not arrive in time.'),
  body_too_large: entry(413, 'The request body is larger than this gateway accepts.'),
  headers_too_large: entry(431, 'The request headers are larger or more than this gateway accepts.'),
  unsupported_media_type: entry(415, 'The request body must be application/json without a content encoding.'),
  method_not_allowed: entry(405, 'This method is not allowed here.'),
  invalid_path: entry(400, 'The path of the request is not one that every server reads alike, below the URL of this server.'),
  upgrade_not_supported: entry(501, 'The gateway speaks HTTP here, and no protocol that a connection could change to: there is no WebSocket.'),
  transfer_coding_not_supported: entry(501, 'A body comes with its length or in chunks, in no other transfer coding.'),
  origin_not_allowed: entry(403, 'Requests from this origin are not allowed.'),
  host_not_allowed: entry(403, 'Requests for this host name are not allowed.'),

  /** Nobody reads this one; 499 as nginx logs it. */
  caller_disconnected: entry(499, 'The caller went away before its answer was there.', 'debug'),

  // Who the caller is
  unauthenticated: entry(401, 'A valid credential is needed.'),
  insufficient_scope: entry(403, 'The token lacks a scope that this server needs.'),
  forbidden: entry(403, 'The caller may not use this.'),
  caller_keys_unavailable: entry(503, 'The keys that tokens for this server are verified with cannot be fetched at the moment; try again later.', 'warn'),

  // People who log in
  wrong_password: entry(401, 'The e-mail address or the password is wrong.'),
  login_expired: entry(400, 'This login was begun too long ago or in another browser, or it is over already; begin again.'),
  login_refused: entry(403, 'The identity provider did not log you in.'),
  login_invalid: entry(502, 'The identity provider’s answer is not one that a login can rely on; nothing was done.', 'warn'),
  login_link_invalid: entry(410, 'This link was used already or has expired; ask for a new one.'),
  connect_link_invalid: entry(410, 'This link was used already, has expired, or is not one that this gateway made; ask your agent again for a new one.'),
  account_disabled: entry(403, 'This account may not log in here.'),
  provider_unavailable: entry(503, 'The provider cannot be reached at the moment; try again later.', 'warn'),
  provider_misconfigured: entry(502, 'The identity provider does not accept how this gateway is registered there; an administrator has to look at it.', 'error'),
  cross_site_request: entry(403, 'The request comes from another site, or from a page that is too old; load the page again.'),
  too_many_attempts: entry(429, 'Too many attempts; wait a few minutes and try again.'),

  /** Of a tool, not of a caller: answered as a server answers for a tool that it does not have. */
  tool_not_allowed: entry(200, 'There is no such tool.'),

  // What the request is for
  not_found: entry(404, 'There is nothing here.', 'debug'),
  server_not_found: entry(404, 'There is no such server.'),
  server_disabled: entry(404, 'This server is disabled.'),
  agent_auth_differs: entry(502, 'This member of a virtual server lets in other callers than the virtual server does, or is virtual itself; an administrator has to look at it.', 'warn'),
  session_not_found: entry(404, 'There is no such session for this caller and server; initialize again.'),

  streamable_http_only: entry(404, 'This server has no HTTP+SSE endpoint: connect with Streamable HTTP, at /mcp.'),

  too_many_sessions: entry(429, 'Too many sessions are in use; end some of them first.'),
  rate_limited: entry(429, 'Too many calls; try again later.'),
  too_many_concurrent_calls: entry(429, 'Too many calls are under way at the same time; try again later.'),

  // The upstream
  upstream_unreachable: entry(502, 'The upstream of this server could not be reached.', 'warn'),
  upstream_failed: entry(502, 'The upstream of this server broke off before it answered.', 'warn'),
  upstream_redirected: entry(502, 'The upstream of this server answered with a redirect, which is not followed.', 'warn'),
  upstream_rejected_credentials: entry(502, 'The upstream answered 401: it wants other credentials than the gateway sends for this server.', 'warn'),
  request_not_repeated: entry(503, 'The upstream wants another credential, which the gateway has by now; but the body was passed on as it came and is not there a second time: send the request again.'),
  upstream_not_mcp: entry(502, 'The upstream of this server answered with something that is not MCP.', 'warn'),
  upstream_busy: entry(503, 'Too many calls are waiting for the upstream of this server; try again later.', 'warn'),
  upstream_circuit_open: entry(503, 'The upstream of this server failed too often and is given a pause; try again later.', 'warn'),
  upstream_timeout: entry(504, 'The upstream of this server did not answer in time.', 'warn'),
  upstream_address_refused: entry(502, 'The address of this server’s upstream is not one the gateway may connect to.', 'warn'),

  // The gateway itself
  not_ready: entry(503, 'This data plane has no configuration yet.', 'warn'),
  broker_unavailable: entry(503, 'The connections of people cannot be looked up at the moment; try again later.', 'warn'),
  connect_required: entry(403, 'This server needs an account of yours to be connected first.'),
  reconnect_required: entry(403, 'The account that you connected for this server has to be connected again.'),
  credential_missing: entry(403, 'This server needs a credential of yours, which you have not entered yet.'),
  credential_refused: entry(403, 'The upstream does not take the credential that you entered for this server: enter another one.'),
  connection_needs_person: entry(403, 'This server calls its upstream as a person, and this caller is none: log in as one, or have an administrator set shared: true for one connection that all callers use.'),
  connection_misconfigured: entry(502, 'The app that this server’s connections are of cannot be used as it is registered; an administrator has to look at it.', 'error'),
  token_exchange_refused: entry(502, 'The caller’s token could not be exchanged for one that this server’s upstream takes; an administrator has to look at it.', 'warn'),
  subject_token_missing: entry(403, 'This server calls its upstream on behalf of its caller, and this caller has no token that says who it is there: log in at the identity provider, or come with a token that the server validates.'),
  subject_token_expired: entry(401, 'The token that stands for the caller has expired, or is about to: come with a new one.'),
  claim_missing: entry(403, 'This server tells its upstream who calls, and what it has to tell is not known of this caller.'),
  credential_unavailable: entry(502, 'A credential for this server could not be obtained.', 'warn'),
  header_policy_unreadable: entry(500, 'What is stored as the global header policy is not one that this release takes; replace it or delete it.', 'error'),
  server_unreadable: entry(500, 'What is stored for this server is not one that this release takes; replace it (If-Match: *) or delete it.', 'error'),
  internal: entry(500, 'Something went wrong inside the gateway.', 'error'),

  // Administration
  no_upstream: entry(409, 'A virtual server has no upstream of its own: ask this of one of its members.'),
  validation_failed: entry(422, 'The document has problems; nothing was changed.'),
  malformed_json: entry(400, 'The request body is not valid JSON.'),
  name_taken: entry(409, 'The name is already in use in this workspace.'),
  conflict: entry(409, 'The change collides with another one; read again and retry.'),
  precondition_failed: entry(412, 'The document changed since it was read: the ETag does not match.'),
  precondition_required: entry(428, 'Send If-Match with the ETag you read.'),
  idempotency_key_reused: entry(422, 'This Idempotency-Key was used for a different request.'),
  idempotency_in_progress: entry(409, 'A request with this Idempotency-Key is still running.'),
  commit_unknown: entry(503, 'It is not known whether the change was made; read again.', 'error'),
  database_unavailable: entry(503, 'The database cannot be reached at the moment; nothing was changed.', 'error'),

  // Starting up
  invalid_setting: entry(500, 'A setting is not valid.', 'error'),
  vault_key_wrong: entry(500, 'The vault key does not open this database’s vault.', 'error'),
  vault_kms_unavailable: entry(503, 'The key management service cannot be reached at the moment; try again later.', 'error'),
  vault_kms_refused: entry(503, 'The key management service refuses what this gateway asks of it; an administrator has to look at it.', 'error'),
  header_policy_not_seeded: entry(500, 'The names in GATEHOUSE_PASSTHROUGH_HEADERS could not be stored as the global header policy.', 'error'),
  vault_sealed_value_unreadable: entry(500, 'A stored secret could not be opened.', 'error'),
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof errorCodes;
