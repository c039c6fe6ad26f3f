import { ConnectError } from '@gatehouse/access-tokens';
import { type CredentialContext, type CredentialKind, credentialHeaderName, type InsertedCredential, toHeaderBytes } from '@gatehouse/app-auth';
import { isHeaderValue } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { canonicalName } from '@gatehouse/header-policy';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import type { SourceValue } from './outbound-header-source.ts';
import { completeSource, prepareSource, readableSource, writableSource } from './registry.ts';

const maxHeaders = 50;

// Made once: making a schema costs a hundred times what using it does.
const name = credentialHeaderName();
const prefix = z.string().max(64).refine(isHeaderValue, 'must not contain control characters').meta({ title: 'Prefix', description: 'Before the value, with a space between: Bearer.' });
const required = z.boolean().meta({ title: 'Required', description: 'Without a value the call fails (true, when absent), or the header is left out (false).' });

const fields = <S extends z.ZodType>(source: S) => z.strictObject({ name, prefix: prefix.optional(), required: required.optional(), source });

const uniqueNames = (headers: readonly { readonly name: string }[], context: z.RefinementCtx): void => {
  const seen = new Set<string>();
  for (const [index, header] of headers.entries()) {
    const canonical = canonicalName(header.name);
    if (seen.has(canonical)) context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is set by another outbound header' });
    seen.add(canonical);
  }
};

const list = <S extends z.ZodType>(source: S) => z.array(fields(source)).max(maxHeaders).superRefine(uniqueNames).meta({ title: 'Outbound headers' });

export const writableOutboundHeaders = list(writableSource);
export const completeOutboundHeaders = list(completeSource);
export const readableOutboundHeaders = list(readableSource);

export type OutboundHeaders = z.output<typeof completeOutboundHeaders>;

/** An outbound header compiled for calls. */
export interface PreparedOutboundHeader {
  readonly name: string;
  /** The source's type. */
  readonly source: string;
  readonly credentialKind: CredentialKind;
  /** For people: what is asked for a value that is not at hand. */
  readonly wouldCall?: string | undefined;
  /** Whether callers have values of their own, and may have none yet. */
  readonly connects: boolean;
  /**
   * The header with its value, or nothing where it is left out of this call.
   * @throws ConnectError, GatewayError: where it is required and there is no value, the source's own code
   */
  obtain(context: CredentialContext): InsertedCredential | undefined | Promise<InsertedCredential | undefined>;
}

/** Compiles outbound headers, once per revision. */
export function prepareOutboundHeaders(headers: OutboundHeaders): PreparedOutboundHeader[] {
  return headers.map((header) => {
    const isRequired = header.required ?? true;
    const source = prepareSource(header.source, isRequired);
    // Most values, and tokens, go out many times, and are made into a header once.
    const made = new WeakMap<SourceValue, InsertedCredential>();
    const toCredential = (value: SourceValue | undefined): InsertedCredential | undefined => {
      if (value === undefined) {
        if (isRequired) throw new GatewayError(source.missing ?? 'credential_unavailable', { detail: `no value for the outbound header ${header.name}` });
        return undefined;
      }
      let credential = made.get(value);
      if (credential === undefined) made.set(value, (credential = credentialOf(header, value)));
      return credential;
    };
    const leaveOut = (error: unknown): undefined => {
      if (!isRequired && hasNothing(error)) return undefined;
      throw error;
    };
    return {
      name: header.name,
      source: source.type,
      credentialKind: source.credentialKind,
      wouldCall: source.wouldCall,
      connects: source.connects === true,
      obtain: (context) => {
        try {
          const value = source.obtain(context);
          return value instanceof Promise ? value.catch(leaveOut).then(toCredential) : toCredential(value);
        } catch (error) {
          return leaveOut(error);
        }
      },
    };
  });
}

/** Who has entered nothing, or is nobody who could, has no value; who cannot be asked at the moment may have one. */
function hasNothing(error: unknown): boolean {
  return error instanceof ConnectError ? error.reason === 'not_connected' : error instanceof GatewayError && error.code === 'connection_needs_person';
}

function credentialOf({ name, prefix }: OutboundHeaders[number], given: SourceValue): InsertedCredential {
  const value = (given instanceof Secret ? given : given.value).reveal();
  if (!isHeaderValue(value)) throw new GatewayError('credential_unavailable', { detail: `a value with control characters in it for the outbound header ${name}` });
  const text = new Secret(toHeaderBytes(`${prefix ? `${prefix} ` : ''}${value}`));
  return { in: 'header', name, value: text, ...(!(given instanceof Secret) && { token: given }) };
}
