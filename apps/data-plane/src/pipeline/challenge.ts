import type { GatewayError } from '@gatehouse/errors';
import { protectedResourceMetadataUrl } from '../metadata/protected-resource.ts';
import { type AuthenticationContext, ChallengeError } from './authenticate-caller.ts';
import type { CallRecord } from './call-record.ts';
import { resourceFormOf } from './match-server.ts';

/**
 * What goes into `WWW-Authenticate` with an error that a credential would have prevented (RFC 9110 section 11.6.1, RFC 6750
 * section 3); where tokens come from our own authorization server, also where to learn how to get one (RFC 9728 section 5.1).
 */
export function challengeOf(error: GatewayError, { route, server }: CallRecord, { publicUrl }: AuthenticationContext): string | undefined {
  // It was good enough for the gateway, and is not for whoever it is exchanged at.
  if (error.code === 'subject_token_expired') return challenge([['realm', 'gatehouse'], ['error', 'invalid_token'], ['error_description', 'The token has expired']]);
  if (!(error instanceof ChallengeError)) return undefined;
  const resource = server?.agentAuth.protectedResource;
  if (route === undefined || server === undefined || resource === undefined) return challenge([['realm', 'gatehouse'], ...reasonOf(error)]);
  const { scopes } = resource;
  // All that any call needs, not only what this token lacks: a client asks for exactly these (MCP authorization, scope challenges).
  const scope = scopes.length === 0 ? [] : [['scope', scopes.join(' ')] as const];
  return challenge([['resource_metadata', protectedResourceMetadataUrl(publicUrl, resourceFormOf(route), server)], ...scope, ...reasonOf(error)]);
}

type Parameter = readonly [name: string, value: string];

function reasonOf({ denial: { denied, description } }: ChallengeError): Parameter[] {
  // A request without any credential gets no error code (RFC 6750 section 3.1).
  if (denied === 'missing_credential') return [];
  const error: Parameter = ['error', denied === 'insufficient_scope' ? 'insufficient_scope' : 'invalid_token'];
  return description === undefined ? [error] : [error, ['error_description', description]];
}

const challenge = (parameters: readonly Parameter[]): string => `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
