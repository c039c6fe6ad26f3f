import type { FastifyInstance } from 'fastify';

/** Which methods a path has, for 405 and its Allow (RFC 9110 section 15.5.6). */
export class AllowedMethods {
  readonly #routes: { readonly path: RegExp; readonly methods: readonly string[] }[] = [];

  /** Before any route is registered. */
  watch(instance: FastifyInstance): void {
    instance.addHook('onRoute', ({ method, url }) => {
      const methods = Array.isArray(method) ? method : [method];
      if (url.includes('*')) return;
      const template = url.split('/').map((segment) => (segment.startsWith(':') ? '[^/]+' : segment.replaceAll(/[^\w-]/g, '\\$&')));
      this.#routes.push({ path: new RegExp(`^${template.join('/')}/?$`), methods });
    });
  }

  of(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '';
    return [...new Set(this.#routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods))].toSorted();
  }
}
