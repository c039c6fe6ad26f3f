import { GatewayError } from '@gatehouse/errors';
import { errors } from 'oidc-provider';

const description = 'the authorization server cannot answer at the moment; try again';

/** RFC 6749 section 4.1.2.1 has a code for it; at the token endpoint it stands with a 503, so that no client takes it for the end of its grant. */
export const unavailableAnswer = { error: 'temporarily_unavailable', error_description: description } as const;

const passing = new Set<string>(['database_unavailable', 'commit_unknown', 'conflict', 'provider_unavailable', 'caller_keys_unavailable']);

/** Whether something failed only for the moment. */
export const isPassing = (error: unknown): boolean => error instanceof GatewayError && passing.has(error.code);

/** Runs what asks the database or somebody else's server; what fails only for the moment becomes an OAuth error that says so. */
export async function unlessUnavailable<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isPassing(error)) throw error;
    throw passingError(error);
  }
}

/** For the moment, and not for good. */
export const passingError = (cause?: unknown): errors.OIDCProviderError =>
  Object.assign(new errors.OIDCProviderError(503, unavailableAnswer.error, { cause }), { expose: true, error_description: description });
