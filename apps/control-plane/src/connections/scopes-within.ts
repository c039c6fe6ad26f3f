/** The first scopes, as many as have room in so many characters. */
export function scopesWithin(scopes: readonly string[], maxLength: number): string[] {
  let length = 0;
  return [...new Set(scopes)].filter((scope) => (length += scope.length + 3) <= maxLength);
}
