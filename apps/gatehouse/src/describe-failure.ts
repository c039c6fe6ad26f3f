import { GatewayError } from '@gatehouse/errors';
import { exitCodes } from './command-failure.ts';

/** The sentence for the person at the terminal. An error without a code is a defect, and keeps its stack. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof GatewayError && error.code !== 'internal') return [error.publicMessage, error.detail].filter(Boolean).join(' ');
  const isExpected = 'exitCode' in error || ('code' in error && typeof error.code === 'string' && error.code !== 'internal');
  return isExpected ? error.message : (error.stack ?? error.message);
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number') return error.exitCode;
  const isSetting = error instanceof GatewayError && ['invalid_setting', 'vault_key_wrong', 'vault_kms_refused'].includes(error.code);
  return isSetting ? exitCodes.settings : exitCodes.failed;
}
