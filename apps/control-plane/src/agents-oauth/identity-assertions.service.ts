import { Inject, Injectable } from '@nestjs/common';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { People } from '../identity/people.service.ts';
import type { Person } from '../identity/person.ts';
import { type ProviderStatement, ProviderStatements } from '../identity/providers/provider-statements.service.ts';

/** What an identity provider says: this person's client may have this. */
export interface IdentityAssertion {
  readonly person: Person;
  readonly issuer: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly resource: string | undefined;
  readonly scope: string | undefined;
}

const type = 'oauth-id-jag+jwt';
/** Each is remembered until it expires. */
const maxLifeSeconds = 3_600;
const requiredClaims = ['sub', 'client_id', 'jti', 'iat'];

/** Identity assertion JWT authorization grants (draft-ietf-oauth-identity-assertion-authz-grant) of configured identity providers. */
@Injectable()
export class IdentityAssertions {
  readonly #statements: ProviderStatements;
  readonly #people: People;
  readonly #issuer: string;

  constructor(statements: ProviderStatements, people: People, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#statements = statements;
    this.#people = people;
    this.#issuer = settings.CONTROL_PLANE_URL;
  }

  /**
   * Undefined where anything about it is not as it should be. Whether it was used before is for the caller to say.
   * @throws GatewayError provider_unavailable, provider_misconfigured, caller_keys_unavailable
   */
  async read(assertion: string, clientId: string): Promise<IdentityAssertion | undefined> {
    const statement = await this.#statements.read(assertion, () => ({ audiences: [this.#issuer], requiredClaims, onlyType: type }));
    if (statement === undefined || !isFor(clientId, statement)) return undefined;
    const known = await this.#statements.about(statement);
    const person = known && this.#people.personOf(known.row);
    if (person === undefined || person.disabled) return undefined;
    const { jti, exp, resource, scope } = statement.claims;
    return {
      person, issuer: statement.document.issuer, jti: String(jti), expiresAt: Number(exp),
      resource: [resource].flat().length === 1 ? textOf([resource].flat()[0]) : undefined, scope: textOf(scope),
    };
  }
}

function isFor(clientId: string, { claims }: ProviderStatement): boolean {
  const isForOneAudience = [claims.aud].flat().length === 1;
  const isShort = Number(claims.exp) - Number(claims.iat) <= maxLifeSeconds;
  // What is said in `authorization_details` is not understood here, and would be more than what is left without it.
  return isForOneAudience && isShort && claims['client_id'] === clientId && claims['authorization_details'] === undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
