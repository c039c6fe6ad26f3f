/**
 * The form in which names are compared for every blocked, restricted and reserved check: names that differ only by case,
 * `_`, `.` or `-` are the same name (D5, docs/rules.md), because some upstreams (CGI, WSGI) cannot tell them apart.
 */
export function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll(/[_.]/g, '-');
}
