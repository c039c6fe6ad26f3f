import { GatewayError } from '@gatehouse/errors';

/** A method that an endpoint has for other servers and not for this one (RFC 9110 section 15.5.6). */
export class MethodError extends GatewayError {
  /** As `Allow` has it. */
  readonly allow: string;

  constructor(allow: string) {
    super('method_not_allowed');
    this.allow = allow;
  }
}
