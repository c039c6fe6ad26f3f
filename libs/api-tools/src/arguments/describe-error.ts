import type { ErrorObject } from 'ajv/dist/2020.js';

const most = 20;
const listed = (values: unknown): string => {
  const texts = (Array.isArray(values) ? values : [values]).map((value) => JSON.stringify(value).slice(0, 100));
  return texts.length > most ? `${texts.slice(0, most).join(', ')}, …` : texts.join(', ');
};

/** A validator’s error as a sentence about the argument, and where it is below the place that the error names. */
export function describeError({ keyword, params, message = 'is not valid' }: ErrorObject): { path: readonly string[]; detail: string } {
  const given = params as Readonly<Record<string, unknown>>;
  const at = (name: unknown, detail: string): { path: readonly string[]; detail: string } => ({ path: [String(name)], detail });
  switch (keyword) {
    case 'required':
      return at(given['missingProperty'], 'is required');
    case 'additionalProperties':
      return at(given['additionalProperty'], 'is not one of the arguments here');
    case 'unevaluatedProperties':
      return at(given['unevaluatedProperty'], 'is not one of the arguments here');
    case 'enum':
      return { path: [], detail: `must be one of ${listed(given['allowedValues'])}` };
    case 'const':
      return { path: [], detail: `must be ${listed([given['allowedValue']])}` };
    case 'type':
      return { path: [], detail: `must be ${[given['type']].flat().join(' or ')}` };
    case 'uniqueItems':
      return { path: [], detail: 'must not have the same entry twice' };
    case 'false schema':
      return { path: [], detail: 'must not be there' };
    default:
      return { path: [], detail: message };
  }
}
