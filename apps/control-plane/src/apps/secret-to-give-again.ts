import type { ResolvedApp } from '@gatehouse/app-catalog';
import type { Problem } from '@gatehouse/errors';
import type { WrittenApp } from './written-app.ts';

/**
 * A client’s secret that is kept though it would go where it has not gone before: whoever writes the document need not have known it.
 * `before` is undefined where nobody can say any more where that was.
 */
export function secretToGiveAgain(before: ResolvedApp | undefined, { app, secrets }: Pick<WrittenApp, 'app' | 'secrets'>): Problem[] {
  const former = new Set(before && originsOf(before));
  if (secrets.kept.size === 0 || originsOf(app).every((origin) => former.has(origin))) return [];
  return [{ pointer: '/clientSecret', detail: 'must be given again, because it would be sent to another origin', code: 'secret_of_another_origin' }];
}

/** Where a client proves who it is. */
const originsOf = ({ tokenUrl, refreshUrl, revocationUrl }: ResolvedApp): string[] =>
  [tokenUrl, refreshUrl, revocationUrl].flatMap((url) => (url === undefined ? [] : [new URL(url).origin]));
