import { readFileSync } from 'node:fs';
import { isAllowedRange } from '@gatehouse/egress';
import { parseKey, Secret, WeakKeyError } from '@gatehouse/sealing';
import { z } from 'zod';
import { wantsTraces } from './tracing/wants-traces.ts';

/** One setting: `GATEHOUSE_<name>`, or for a secret also `GATEHOUSE_<name>_FILE`. Those of OpenTelemetry have the names that they have everywhere. */
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

const isOpenTelemetrys = (key: string): boolean => key.startsWith('OTEL_');

export const settingName = (key: string): string => (isOpenTelemetrys(key) ? key : `GATEHOUSE_${key}`);

/**
 * Reads every setting once.
 * @throws InvalidSettingsError naming each setting that is wrong.
 */
export function readSettings<T extends Settings>(settings: T, environment: Environment): SettingValues<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const hearsOpenTelemetry = wantsTraces(environment);
  for (const [key, setting] of Object.entries(settings)) {
    try {
      const isHeard = hearsOpenTelemetry || !isOpenTelemetrys(key);
      const parsed = setting.schema.safeParse(isHeard ? rawValue(key, setting, environment) : undefined);
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

const secret = z.instanceof(Secret, { error: required });
const list = z.string().transform((value) => value.split(',').map((item) => item.trim()).filter((item) => item !== ''));

/** Refines a secret into something else; what it says of a bad one must not quote it. */
const secretAs = <T>(read: (value: string) => T) =>
  secret.transform((value, context): T => {
    try {
      return read(value.reveal());
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof WeakKeyError ? error.message : 'is not valid' });
      return z.NEVER;
    }
  });

function parseKeys(text: string): readonly [Buffer, ...Buffer[]] {
  const [first = '', ...others] = text.split(',');
  return [parseKey(first), ...others.map(parseKey)];
}

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
  list,
  /** Addresses that may be connected to besides public ones, as the address guard takes them. */
  addressRanges: list.refine((ranges) => ranges.every(isAllowedRange), 'must be loopback, private, all, or CIDR ranges, comma-separated'),
  secret,
  /** 32 random bytes. */
  key: secretAs(parseKey),
  /** One or more keys, comma-separated; the first seals. */
  keys: secretAs(parseKeys),
};
