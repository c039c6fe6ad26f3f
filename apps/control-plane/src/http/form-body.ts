import { GatewayError } from '@gatehouse/errors';
import type { FastifyInstance } from 'fastify';

const maxFormBytes = 16_384;

/** Where pages with forms are. The REST API takes none: any site can have a browser send one. */
const pagePaths = ['/login', '/logout', '/oauth/interaction', '/me/agents', '/connect'];

/** The fields of a form, none of them twice. */
export type Form = Readonly<Record<string, string>>;

/** Reads forms of pages (`application/x-www-form-urlencoded`); anywhere else they are 415. After `readJsonBodies`, which removes all parsers. */
export function readForms(instance: FastifyInstance): void {
  instance.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: maxFormBytes }, (request, text, done) => {
    const path = request.routeOptions.url ?? '';
    if (!pagePaths.some((page) => path === page || path.startsWith(`${page}/`))) return done(new GatewayError('unsupported_media_type'));
    const fields = [...new URLSearchParams(text as string)];
    const isTwice = new Set(fields.map(([name]) => name)).size < fields.length;
    return isTwice ? done(new GatewayError('invalid_request')) : done(null, Object.fromEntries(fields));
  });
}

/** A field of what a form sent; empty where it is missing. */
export function formField(body: unknown, name: string): string {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return '';
  const value = (body as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : '';
}
