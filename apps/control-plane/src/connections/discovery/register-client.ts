import type { Fetch } from '@gatehouse/oauth-client';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { cleanWords } from '../connect/clean-words.ts';
import { DiscoveryFailure } from './discovery-failure.ts';
import { reaching } from './fetch-document.ts';
import { clientMetadata } from './our-client-metadata.ts';

export type ClientAuth = 'basic' | 'post' | 'none';

export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly clientAuth: ClientAuth;
  /** Milliseconds since the epoch; null for never. */
  readonly secretExpiresAt: number | null;
}

const methods: readonly (readonly [method: string, clientAuth: ClientAuth])[] = [['client_secret_basic', 'basic'], ['client_secret_post', 'post'], ['none', 'none']];

/** RFC 7591 section 3.2.1. */
const registration = z.object({
  client_id: z.string().min(1).max(2_048),
  client_secret: z.string().min(1).max(4_096).optional(),
  client_secret_expires_at: z.number().optional(),
  token_endpoint_auth_method: z.string().optional(),
});

export interface RegistrationRequest {
  readonly registrationUrl: string;
  /** What the server takes. */
  readonly clientAuths: readonly string[];
  readonly controlPlaneUrl: string;
  readonly registrationId: string;
}

/** Registers us as a client (RFC 7591), with a secret where the server takes one. @throws DiscoveryFailure */
export async function registerClient({ registrationUrl, clientAuths, controlPlaneUrl, registrationId }: RegistrationRequest, fetch: Fetch): Promise<RegisteredClient> {
  const wanted = methods.find(([method]) => clientAuths.includes(method));
  if (!wanted) throw new DiscoveryFailure(`the authorization server authenticates clients by ${clientAuths.map(cleanWords).join(', ')} only`);
  const url = new URL(registrationUrl);
  const body = JSON.stringify(clientMetadata(controlPlaneUrl, registrationId, wanted[0]));
  const signal = AbortSignal.timeout(10_000);
  const response = await reaching(url, () => fetch(url.href, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body, redirect: 'manual', signal }));
  const answer = await reaching(url, () => response.text());
  if (!response.ok) throw new DiscoveryFailure(`registering at ${url.host} was refused: ${response.status} ${errorOf(answer)}`, { isPassing: response.status >= 500 || response.status === 429 });
  const { success, data } = registration.safeParse(parsed(answer));
  if (!success) throw new DiscoveryFailure(`registering at ${url.host} gave no client`);
  return clientOf(data, wanted);
}

function clientOf({ client_id: clientId, client_secret: secret, client_secret_expires_at: expiresAt = 0, token_endpoint_auth_method: method }: z.output<typeof registration>, wanted: (typeof methods)[number]): RegisteredClient {
  const clientAuth = secret === undefined ? 'none' : ((methods.find(([name]) => name === method) ?? wanted)[1]);
  return {
    clientId, clientAuth,
    clientSecret: secret === undefined || clientAuth === 'none' ? undefined : new Secret(secret),
    secretExpiresAt: clientAuth === 'none' || expiresAt <= 0 ? null : expiresAt * 1000,
  };
}

/** RFC 7591 section 3.2.2. */
function errorOf(answer: string): string {
  const { error, error_description: description } = (parsed(answer) ?? {}) as Record<string, unknown>;
  return [error, description].filter((part) => typeof part === 'string').map(cleanWords).join(': ');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
