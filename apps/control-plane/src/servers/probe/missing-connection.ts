import type { ConnectError } from '@gatehouse/access-tokens';
import { StepFailure } from './step-failure.ts';

const states: Readonly<Record<ConnectError['reason'], string>> = {
  not_connected: 'there is none yet', scopes: 'what there is lacks scopes that this server needs', expired: 'what there was has expired', refused: 'what there was is not accepted any more',
};

/** What somebody has to connect or to enter, before it can be told whether the upstream takes it. The link is for whoever asked for the probe. */
export function missingConnection(error: ConnectError): StepFailure {
  const { app, reason, isShared, isCredential, connectUrl } = error;
  const what = isShared ? `the organisation’s connection with ${app}` : `a person’s ${isCredential ? app : `connection with ${app}`}, which is your own in a test`;
  // Without the cause, which is logged: this is for nobody but them.
  return new StepFailure(error.code, `This needs ${what}: ${states[reason]}.`, `${isCredential ? 'Enter it' : 'Connect it'} at ${connectUrl} (once, within ten minutes), and try again.`);
}
