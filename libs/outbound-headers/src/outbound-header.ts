import { type CredentialContext, credentialHeaderName, type InsertedCredential, toHeaderBytes } from '@gatehouse/app-auth';
import { isHeaderValue } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { canonicalName } from '@gatehouse/header-policy';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
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
  /**
   * The header with its value, or nothing where it is left out of this call.
   * @throws GatewayError credential_unavailable where it is required and there is no value
   */
  obtain(context: CredentialContext): InsertedCredential | undefined | Promise<InsertedCredential | undefined>;
}

/** Compiles outbound headers, once per revision. */
export function prepareOutboundHeaders(headers: OutboundHeaders): PreparedOutboundHeader[] {
  return headers.map((header) => {
    const source = prepareSource(header.source);
    // Values rarely change from one call to the next: neither does what is made of them.
    let last: { readonly value: Secret; readonly credential: InsertedCredential } | undefined;
    const toCredential = (value: Secret | undefined): InsertedCredential | undefined => {
      if (value === undefined) {
        if (header.required ?? true) throw new GatewayError('credential_unavailable', { detail: `no value for the outbound header ${header.name}` });
        return undefined;
      }
      if (last?.value !== value) {
        const text = `${header.prefix ? `${header.prefix} ` : ''}${value.reveal()}`;
        last = { value, credential: { in: 'header', name: header.name, value: new Secret(toHeaderBytes(text)) } };
      }
      return last.credential;
    };
    return {
      name: header.name,
      source: source.type,
      obtain: (context) => {
        const value = source.obtain(context);
        return value instanceof Promise ? value.then(toCredential) : toCredential(value);
      },
    };
  });
}
