import { Inject, Injectable } from '@nestjs/common';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { People } from './people.service.ts';
import type { Person } from './person.ts';
import { type ProviderStatement, ProviderStatements } from './providers/provider-statements.service.ts';

/** What only ID tokens have (OpenID Connect Core sections 2 and 3.3.2.11). Not all of them say in `typ` what they are. */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash', 's_hash'] as const;

/**
 * Tokens that an identity provider gave to a program for the REST API: of a configured issuer, for this gateway's URL or for what
 * the provider's document names besides (docs/decisions/0006).
 */
@Injectable()
export class ProviderJwts {
  readonly #statements: ProviderStatements;
  readonly #people: People;
  readonly #controlPlaneUrl: string;

  constructor(statements: ProviderStatements, people: People, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#statements = statements;
    this.#people = people;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  /**
   * The person of a token; nobody where anything about it is not as it should be. Roles are those of the token's own claims.
   * @throws GatewayError provider_unavailable, provider_misconfigured, caller_keys_unavailable
   */
  async personOf(token: string): Promise<Person | undefined> {
    const statement = await this.#statements.read(token, ({ apiAudiences = [] }) => ({ audiences: [this.#controlPlaneUrl, ...apiAudiences], requiredClaims: ['sub'] }));
    if (statement === undefined || !givesAccess(statement)) return undefined;
    const known = await this.#statements.about(statement);
    if (known === undefined) return undefined;
    const { row, claimed: { groups, roleValues } } = known;
    const person = this.#people.personOf({ ...row, groups, roleValues });
    return person.disabled ? undefined : person;
  }
}

/**
 * An ID token tells an application who logged in, and passes through browsers and logs; it opens nothing. A token for several
 * audiences could be brought here by each of them: it has to be our own client that it was given to.
 */
function givesAccess({ claims, document }: ProviderStatement): boolean {
  if (idTokenClaims.some((name) => claims[name] !== undefined)) return false;
  return [claims.aud].flat().length === 1 || claims['azp'] === document.clientId;
}
