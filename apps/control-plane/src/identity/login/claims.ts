import { emailVerification } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { IdentityProviderDocument } from '@gatehouse/gateway-config';
import type { ProvidedAttributes } from '../people.store.ts';

export type Claims = Readonly<Record<string, unknown>>;
type ClaimNames = NonNullable<IdentityProviderDocument['claims']>;
/** How a provider's claims are read. */
type ClaimReading = Pick<IdentityProviderDocument, 'claims' | 'emailVerified' | 'emailDomains'>;

const maxSubjectLength = 255;
const maxTextLength = 320;
const maxValues = 1_000;
const maxValueLength = 256;

/** Who a provider says that someone is. */
export interface ClaimedPerson extends ProvidedAttributes {
  readonly subject: string;
}

/**
 * A provider's claims as a person.
 * @throws GatewayError login_invalid without a usable subject
 */
export function personOfClaims(claims: Claims, reading: ClaimReading = {}): ClaimedPerson {
  const { claims: names = {} } = reading;
  const subject = subjectOf(claimOf(claims, names.subject ?? 'sub'));
  const email = verifiedEmail(claims, reading);
  const name = textOf(claimOf(claims, names.name ?? 'name')) ?? textOf(claims['preferred_username']) ?? email ?? subject;
  return {
    subject, email, name,
    groups: valuesOf(claimOf(claims, names.groups ?? 'groups')),
    roleValues: names.roles === undefined ? [] : valuesOf(claimOf(claims, names.roles)),
  };
}

/** Whether the claims hold all that is read of a person, so that nobody has to be asked for more. */
export function hasAllClaims(claims: Claims, names: ClaimNames = {}): boolean {
  const read = [names.subject ?? 'sub', names.email ?? 'email', names.name ?? 'name', names.groups ?? 'groups', ...(names.roles === undefined ? [] : [names.roles])];
  return read.every((name) => claimOf(claims, name) !== undefined);
}

/** Where only a part of what a login reads was said. */
export interface UpdatedAttributes {
  readonly attributes: ProvidedAttributes;
  /** Nothing that counts for anything is left from before. */
  readonly isWhole: boolean;
}

/**
 * What is known of someone, with what the provider says of them without an ID token: it may have said some of it in there only, and
 * that is as old as the login.
 */
export function updatedAttributes(known: ProvidedAttributes, claims: Claims, reading: ClaimReading & Pick<IdentityProviderDocument, 'requiredClaims'>): UpdatedAttributes {
  const { claims: names = {}, requiredClaims = {} } = reading;
  const { email, name, groups, roleValues } = personOfClaims(claims, reading);
  const isSaid = (claim: string): boolean => claimOf(claims, claim) !== undefined;
  const saysEmail = isSaid(names.email ?? 'email');
  const saysGroups = isSaid(names.groups ?? 'groups');
  const saysRoles = names.roles === undefined || isSaid(names.roles);
  const isWhole = (saysEmail || known.email === undefined) && (saysGroups || known.groups.length === 0) && (saysRoles || known.roleValues.length === 0);
  return {
    attributes: {
      email: saysEmail ? email : known.email,
      name: isSaid(names.name ?? 'name') ? name : known.name,
      groups: saysGroups ? groups : known.groups,
      roleValues: saysRoles ? roleValues : known.roleValues,
    },
    isWhole: isWhole && Object.keys(requiredClaims).every(isSaid),
  };
}

/** The claims that are said and required have a value that is. */
export function contradictsRequirements(claims: Claims, required: IdentityProviderDocument['requiredClaims'] = {}): boolean {
  const said = Object.entries(required).filter(([name]) => claimOf(claims, name) !== undefined);
  return !meetsRequirements(claims, Object.fromEntries(said));
}

/** Of required claims one value each has to be there; of a claim that is a list, in it. */
export function meetsRequirements(claims: Claims, required: IdentityProviderDocument['requiredClaims'] = {}): boolean {
  return Object.entries(required).every(([name, wanted]) => {
    const held = claimOf(claims, name);
    const values = (Array.isArray(held) ? held : [held]).map(String);
    return held !== undefined && [wanted].flat().some((value) => values.includes(value));
  });
}

/** By its name; else, a name with dots is a way through objects (Keycloak's `realm_access.roles`). Names that are URLs have dots too. */
function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined), claims);
}

function subjectOf(value: unknown): string {
  const subject = typeof value === 'number' ? String(value) : value;
  if (typeof subject !== 'string' || subject === '' || subject.length > maxSubjectLength || !isStorable(subject)) {
    throw new GatewayError('login_invalid', { detail: 'the claim of the subject is missing, too long or no text' });
  }
  return subject;
}

/**
 * An address that the provider vouches for. Without its word anybody could have typed it into their own account (nOAuth), and
 * access rules name people by it. `email_verified` speaks of the claim `email` only (OpenID Connect Core section 5.1).
 */
function verifiedEmail(claims: Claims, { claims: { email: name = 'email' } = {}, emailVerified, emailDomains }: ClaimReading): string | undefined {
  const isVerified = emailVerified === 'always' ? emailVerification(claims) !== 'unverified' : name === 'email' && emailVerification(claims) === 'verified';
  const email = isVerified ? emailOf(claimOf(claims, name)) : undefined;
  return email !== undefined && (emailDomains?.includes(domainOf(email)) ?? true) ? email : undefined;
}

const domainOf = (email: string): string => email.slice(email.indexOf('@') + 1).toLowerCase();

const emailOf = (value: unknown): string | undefined => {
  const text = textOf(value);
  return text !== undefined && /^[^\s@]+@[^\s@]+$/.test(text) ? text : undefined;
};

function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return text !== '' && text.length <= maxTextLength && isStorable(text) ? text : undefined;
}

/** A list of texts, or the one. What is too much is left out: a group less gives nobody more. */
function valuesOf(value: unknown): string[] {
  const items = Array.isArray(value) ? value : [value];
  const texts = items.filter((item): item is string => typeof item === 'string' && item !== '' && item.length <= maxValueLength && isStorable(item));
  return [...new Set(texts)].slice(0, maxValues);
}

/** Postgres keeps no NUL. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
