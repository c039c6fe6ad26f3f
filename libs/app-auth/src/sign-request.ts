import { canonicalName } from '@gatehouse/header-policy';
import type { Credential, SignableRequest, SigningCredential } from './app-auth-type.ts';
import { removeHeader } from './remove-header.ts';

/** A request with its other credentials, right before it leaves. */
export interface UnsignedRequest extends Omit<SignableRequest, 'url'> {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
}

/** What signs a request among its credentials, or nothing. */
export function signaturesOf(credentials: readonly Credential[]): readonly SigningCredential[] | undefined {
  let signatures: SigningCredential[] | undefined;
  for (const credential of credentials) if (credential.in === 'signature') (signatures ??= []).push(credential);
  return signatures;
}

/**
 * The headers of a request with its signatures, over whatever has their names. For each time that it is sent: a signature is of
 * one method, one URL and one moment.
 */
export function signRequest(signatures: readonly SigningCredential[], { method, origin, path, headers: unsigned, body }: UnsignedRequest): string[] {
  const headers = [...unsigned];
  for (const signature of signatures) {
    // First: what does not leave must not be signed.
    for (const name of signature.headerNames) removeHeader(headers, canonicalName(name));
    for (const [name, value] of signature.sign({ method, url: origin + path, headers, body })) headers.push(name, value.reveal());
  }
  return headers;
}
