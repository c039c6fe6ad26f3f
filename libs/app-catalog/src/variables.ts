import { pointerOf, type Problem } from '@gatehouse/errors';
import type { CatalogVariable } from './catalog-entry.ts';

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';

/** Narrow on purpose: what is put into a URL must not be able to become another host, path or query. */
const formats = {
  host: { pattern: new RegExp(`^(?=.{1,253}$)${label}(\\.${label})+(:\\d{1,5})?$`), wording: 'must be a domain name' },
  label: { pattern: new RegExp(`^${label}$`), wording: 'must be one part of a domain name: lower-case letters, digits and hyphens' },
  segment: { pattern: /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/, wording: 'must be letters, digits, dots, hyphens, underscores or tildes' },
  url: { pattern: /^https?:\/\/[A-Za-z0-9.\-:[\]]+(\/[A-Za-z0-9._~-]+)*$/, wording: 'must be a URL without query, and without a slash at the end' },
} as const;

type Values = Readonly<Record<string, string>> | undefined;

/** What is missing, unknown or of the wrong form among the values that a document gives. */
export function variableProblems(variables: readonly CatalogVariable[], values: Values): Problem[] {
  const problems: Problem[] = [];
  for (const name of Object.keys(values ?? {})) {
    if (variables.some((variable) => variable.name === name)) continue;
    const known = variables.length === 0 ? 'this provider has none' : `this provider has ${variables.map((variable) => variable.name).join(', ')}`;
    problems.push({ pointer: pointerOf(['variables', name]), detail: `is not a known variable: ${known}`, code: 'unrecognized_keys' });
  }
  for (const { name, title, format, example, default: preset } of variables) {
    const value = valueOf(values, name) ?? preset;
    const pointer = pointerOf(['variables', name]);
    if (value === undefined) problems.push({ pointer, detail: `is required: ${title}, such as ${example}`, code: 'required' });
    else if (!matches(format, value)) problems.push({ pointer, detail: `${formats[format].wording}, such as ${example}`, code: 'invalid_value' });
  }
  return problems;
}

/** A template with its {variables} put in; they were checked. */
export function fillIn(template: string, variables: readonly CatalogVariable[], values: Values): string {
  return variables.reduce((url, { name, default: preset }) => url.replaceAll(`{${name}}`, valueOf(values, name) ?? preset ?? ''), template);
}

const valueOf = (values: Values, name: string): string | undefined => (values && Object.hasOwn(values, name) ? values[name] : undefined);

const matches = (format: CatalogVariable['format'], value: string): boolean => formats[format].pattern.test(value) && (format !== 'url' || URL.canParse(value));
