import { GatewayError } from '@gatehouse/errors';
import type { ConnectReason, TokenAnswer } from './broker-messages.ts';

export type ConnectAnswer = Extract<TokenAnswer, { connectUrl: string }>;

const credentialCodes = { connect_required: 'credential_missing', reconnect_required: 'credential_refused' } as const;

/** There is no token until the caller connects the app, or connects it again; with the link at which that is done. */
export class ConnectError extends GatewayError {
  /** For nobody but the caller: it goes into answers, never into the log. */
  declare readonly connectUrl: string;
  readonly linkId: string;
  /** The app, or the server that was discovered; absent where an older control plane does not say. */
  readonly owner: string | undefined;
  readonly app: string;
  readonly reason: ConnectReason;
  /** The link is for an administrator. */
  readonly isShared: boolean;
  /** What is missing is a credential of this title, which the person enters there. */
  readonly isCredential: boolean;

  constructor({ status, connectUrl, linkId, owner, app, reason, shared = false, credential = false }: ConnectAnswer) {
    super(credential ? credentialCodes[status] : status, { detail: reason });
    // Not enumerable: whatever prints an error prints its members.
    Object.defineProperty(this, 'connectUrl', { enumerable: false, value: connectUrl });
    this.linkId = linkId;
    this.owner = owner;
    this.app = app;
    this.reason = reason;
    this.isShared = shared;
    this.isCredential = credential;
  }
}
