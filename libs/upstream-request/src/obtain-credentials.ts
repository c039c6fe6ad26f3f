import { ConnectError } from '@gatehouse/access-tokens';
import type { Credential, CredentialContext } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from './prepared-server.ts';

type Obtained = Credential | undefined;

/**
 * What the call carries upstream: app authentication's credentials, then the outbound headers. At once where all of it is
 * known, as it mostly is; a promise where something has to be fetched.
 * @throws ConnectError, GatewayError credential_unavailable: a call that should carry a credential never goes out without
 */
export function obtainCredentials({ appAuth, outboundHeaders }: Pick<PreparedServer, 'appAuth' | 'outboundHeaders'>, context: CredentialContext = {}): readonly Credential[] | Promise<readonly Credential[]> {
  const credentials = attempt(() => appAuth.obtain(context));
  if (outboundHeaders.length === 0) return credentials instanceof Promise ? credentials.catch(unavailable) : credentials;
  const headers = outboundHeaders.map((header) => attempt<Obtained>(() => header.obtain(context)));
  if (!(credentials instanceof Promise) && headers.every(isThere)) return present([...credentials, ...headers]);
  return Promise.all([credentials, ...headers]).then(([first, ...others]) => present([...first, ...others])).catch((error: unknown) => whatHelps([credentials, ...headers], error));
}

/** What throws at once is a rejection like any other: were it thrown, nobody would look at the ones that are under way. */
function attempt<T>(obtain: () => T | Promise<T>): T | Promise<T> {
  try {
    return obtain();
  } catch (cause) {
    return Promise.reject(cause instanceof GatewayError ? cause : new GatewayError('credential_unavailable', { cause }));
  }
}

/** Of several failures the one that a person can do something about, whichever came first. */
async function whatHelps(all: readonly unknown[], first: unknown): Promise<never> {
  const outcomes = await Promise.allSettled(all);
  const helpful = outcomes.find((outcome) => outcome.status === 'rejected' && outcome.reason instanceof ConnectError);
  return unavailable(helpful?.status === 'rejected' ? helpful.reason : first);
}

const isThere = (value: Obtained | Promise<Obtained>): value is Obtained => !(value instanceof Promise);
const present = (values: readonly Obtained[]): Credential[] => values.filter((value) => value !== undefined);

function unavailable(cause: unknown): never {
  throw cause instanceof GatewayError ? cause : new GatewayError('credential_unavailable', { cause });
}
