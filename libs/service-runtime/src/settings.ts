import { readFileSync } from 'node:fs';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';

/** One setting: `GATEHOUSE_<name>`, or for a secret also `GATEHOUSE_<name>_FILE`. */
export interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  readonly description: string;
  readonly secret?: boolean;
}

export type Settings = Readonly<Record<string, Setting>>;
export type SettingValues<T extends Settings> = { readonly [K in keyof T]: z.output<T[K]['schema']> };
type Environment = Readonly<Record<string, string | undefined>>;

/** A setting is missing or wrong. The message names it and never quotes a secret. Processes exit with 78 (EX_CONFIG). */
export class InvalidSettingsError extends Error {
  readonly code = 'invalid_setting';
  readonly exitCode = 78;
}

export const settingName = (key: string): string => `GATEHOUSE_${key}`;

/**
 * Reads every setting once.
 * @throws InvalidSettingsError naming each setting that is wrong.
 */
export function readSettings<T extends Settings>(settings: T, environment: Environment): SettingValues<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    try {
      const parsed = setting.schema.safeParse(rawValue(key, setting, environment));
      if (parsed.success) values[key] = parsed.data;
      else problems.push(`${settingName(key)} ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
    } catch (error) {
      problems.push(`${settingName(key)}_FILE ${error instanceof Error ? error.message : 'cannot be read'}`);
    }
  }
  if (problems.length > 0) throw new InvalidSettingsError(problems.join('\n'));
  return values as SettingValues<T>;
}

/** The lines of `--help` about settings. */
export function describeSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, { description, secret }]) => `  ${settingName(key)}${secret ? '[_FILE]' : ''}\n      ${description}`)
    .join('\n');
}

function rawValue(key: string, setting: Setting, environment: Environment): string | Secret | undefined {
  const text = environment[settingName(key)];
  const file = setting.secret ? environment[`${settingName(key)}_FILE`] : undefined;
  const raw = text !== undefined && text !== '' ? text : file ? readFileSync(file, 'utf8').trim() : undefined;
  return raw === undefined || !setting.secret ? raw : new Secret(raw);
}

const required = 'is required';

/** Schemas for settings, whose input is the text of a variable (a `Secret` for secrets) or nothing. */
export const settingSchemas = {
  text: z.string(required),
  integer: (min: number, max: number) =>
    z.coerce.number(`must be a whole number from ${min} to ${max}`).int(`must be a whole number from ${min} to ${max}`).min(min, `must be at least ${min}`).max(max, `must be at most ${max}`),
  flag: z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true'),
  url: (...protocols: string[]) =>
    z
      .string(required)
      .refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), `must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be trace, debug, info, warn, error, fatal or silent'),
  list: z.string().transform((value) => value.split(',').map((item) => item.trim()).filter((item) => item !== '')),
  secret: z.instanceof(Secret, { error: required }),
};
