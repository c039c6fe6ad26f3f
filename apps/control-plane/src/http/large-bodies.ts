import { GatewayError } from '@gatehouse/errors';
import type { FastifyInstance } from 'fastify';
import { isAtLeast } from '../identity/person.ts';
import { type Principal, roleOf } from '../identity/principal.ts';
import type { CredentialRequest } from '../identity/principals.service.ts';
import { maxBodyBytes } from './json-body.ts';

/** A description of an API has up to 20 MiB, and as text in JSON each quote and line break of it takes two bytes. */
export const maxLargeBodyBytes = 48 * 1_048_576;

const servers = '/v1/workspaces/:workspace/servers';
/** Where such a description may be sent. */
const routes = new Set([`POST ${servers}`, `PUT ${servers}/:server`, `PATCH ${servers}/:server`, `POST ${servers}/:server/reimport`, 'POST /v1/workspaces/:workspace/import-preview']);

/**
 * More is read for those who may change servers, and from nobody else: a body is read before the guard says who may use a route.
 * Before any route is registered.
 */
export function readLargeBodies(instance: FastifyInstance, principalOf: (request: CredentialRequest) => Promise<Principal | undefined>): void {
  instance.addHook('onRoute', (route) => {
    if (routes.has(`${String(route.method)} ${route.url}`)) route.bodyLimit = maxLargeBodyBytes;
  });
  instance.addHook('onRequest', async (request) => {
    if (!routes.has(`${request.method} ${request.routeOptions.url ?? ''}`) || isSmall(request.headers)) return;
    const principal = await principalOf(request);
    if (principal === undefined || !isAtLeast(roleOf(principal), 'editor')) throw new GatewayError('body_too_large');
  });
}

/** Node holds a request to the length that it declares (RFC 9112 section 6.2). */
const isSmall = (headers: { readonly 'content-length'?: string | undefined; readonly 'transfer-encoding'?: string | undefined }): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= maxBodyBytes;
