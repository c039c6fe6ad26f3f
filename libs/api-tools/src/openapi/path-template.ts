import { Unusable } from './unusable.ts';

/** The names in a path’s template. @throws Unusable invalid_path */
export function templateNames(path: string, pointer: string): string[] {
  if (!path.startsWith('/')) throw new Unusable('invalid_path', pointer, 'does not begin with a slash');
  if (path.length > 4_000) throw new Unusable('invalid_path', pointer, 'is too long');
  const outside = path.replace(/\{[^{}]*\}/g, '');
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  if (/[?#{}\\\x00-\x1f\x7f]/.test(outside)) throw new Unusable('invalid_path', pointer, 'has a sign that no path has (OpenAPI 3.1.1 section 4.8.8)');
  if (/(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path)) throw new Unusable('invalid_path', pointer, 'has a segment that leads elsewhere');
  const names = [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name as string);
  if (names.includes('')) throw new Unusable('invalid_path', pointer, 'has a parameter without a name');
  return names;
}
