import type { Credential } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from '../snapshot/prepared-server.ts';

/**
 * What the call carries upstream. At once where it is known, as it mostly is; a promise where it has to be fetched.
 * @throws GatewayError credential_unavailable: a call that should carry a credential never goes out without
 */
export function obtainCredentials({ appAuth }: PreparedServer): readonly Credential[] | Promise<readonly Credential[]> {
  try {
    const credentials = appAuth.obtain();
    return credentials instanceof Promise ? credentials.catch(unavailable) : credentials;
  } catch (cause) {
    return unavailable(cause);
  }
}

function unavailable(cause: unknown): never {
  throw cause instanceof GatewayError ? cause : new GatewayError('credential_unavailable', { cause });
}
