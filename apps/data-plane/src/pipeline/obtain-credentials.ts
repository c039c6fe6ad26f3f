import type { Credential } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from '../snapshot/prepared-server.ts';

/** @throws GatewayError credential_unavailable: a call that should carry a credential never goes out without. */
export async function obtainCredentials({ appAuth }: PreparedServer): Promise<readonly Credential[]> {
  try {
    return await appAuth.obtain();
  } catch (cause) {
    throw cause instanceof GatewayError ? cause : new GatewayError('credential_unavailable', { cause });
  }
}
