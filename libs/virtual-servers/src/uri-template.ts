/**
 * Whether a URI can come from a template (RFC 6570): its expressions stand for any characters. More is not needed to find the server
 * that it is of, which reads it itself.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const literals = template.split(/\{[^{}]*\}/);
  const first = literals[0] as string;
  if (literals.length === 1) return uri === first;
  const last = literals[literals.length - 1] as string;
  if (uri.length < first.length + last.length || !uri.startsWith(first) || !uri.endsWith(last)) return false;
  const end = uri.length - last.length;
  let at = first.length;
  for (const literal of literals.slice(1, -1)) {
    const found = uri.indexOf(literal, at);
    if (found === -1 || found + literal.length > end) return false;
    at = found + literal.length;
  }
  return true;
}
