import { CommandFailure, exitCodes } from '../command-failure.ts';

/** Of a tool's input schema, only what reading `name=value` takes. */
export interface ArgumentSchema {
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: unknown;
}

/**
 * Reads `name=value` by the type that the tool's schema gives to the name, and `name:=json` as JSON.
 * @throws CommandFailure that names the argument
 */
export function parseArguments(values: readonly string[], schema: ArgumentSchema): Record<string, unknown> {
  const entries = values.map((value) => parseArgument(value, schema));
  const parsed = Object.fromEntries(entries);
  const missing = (schema.required ?? []).filter((name) => !(name in parsed));
  if (missing.length > 0) throw wrong(`${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing. ${usageOf(schema)}`);
  return parsed;
}

/** `a=<number> b=<number> [note=<string>]` */
export function argumentsOf(schema: ArgumentSchema): string {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {})
    .map(([name, property]) => [name, `${name}=<${typesOf(property).join('|') || 'any'}>`] as const)
    .map(([name, text]) => (required.has(name) ? text : `[${text}]`))
    .join(' ');
}

const usageOf = (schema: ArgumentSchema): string => {
  const known = argumentsOf(schema);
  return known === '' ? 'The tool takes no arguments.' : `The tool takes: ${known}`;
};

function parseArgument(argument: string, schema: ArgumentSchema): [string, unknown] {
  const [, name, separator, value] = /^([^=:]+|[^=]+?)(:=|=)(.*)$/s.exec(argument) ?? [];
  if (name === undefined || value === undefined) throw wrong(`"${argument}" is not an argument: write name=value, or name:=json.`);
  const property = schema.properties?.[name];
  if (property === undefined && schema.additionalProperties === false) throw wrong(`There is no argument "${name}". ${usageOf(schema)}`);
  return [name, separator === ':=' ? fromJson(name, value) : fromText(name, value, typesOf(property))];
}

/** The first of the types that the text can be read as; text where the schema says nothing. */
function fromText(name: string, text: string, types: readonly string[]): unknown {
  if (types.length === 0) return text;
  for (const type of types) {
    const read = readers[type]?.(text);
    if (read !== undefined) return read;
  }
  throw wrong(`${name} must be ${types.map((type) => nouns[type] ?? type).join(' or ')}, not "${text}".`);
}

const nouns: Readonly<Record<string, string>> = { number: 'a number', integer: 'a whole number', boolean: 'true or false', object: 'a JSON object', array: 'a JSON array', string: 'text' };

/** Each gives undefined for a text that is not of its type. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  number: (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined),
  integer: (text) => (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined),
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  null: (text) => (text === 'null' ? null : undefined),
  object: (text) => jsonThat(text, (value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
  array: (text) => jsonThat(text, Array.isArray),
  string: (text) => text,
};

function jsonThat(text: string, isSo: (value: unknown) => boolean): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isSo(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Strictest first: every text is a string. */
const strictestFirst = ['null', 'boolean', 'integer', 'number', 'object', 'array', 'string'];

function typesOf(property: unknown): string[] {
  if (typeof property !== 'object' || property === null) return [];
  const { type, anyOf, oneOf, enum: values } = property as { type?: string | string[]; anyOf?: unknown[]; oneOf?: unknown[]; enum?: unknown[] };
  const own = type === undefined ? (values ?? []).map((value) => typeof value) : [type].flat();
  const types = new Set([...own, ...[...(anyOf ?? []), ...(oneOf ?? [])].flatMap(typesOf)]);
  return strictestFirst.filter((known) => types.has(known));
}

function fromJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw wrong(`${name}:= is followed by JSON, and "${text}" is none (${(error as Error).message}).`);
  }
}

const wrong = (message: string): CommandFailure => new CommandFailure(message, { exitCode: exitCodes.usage });
