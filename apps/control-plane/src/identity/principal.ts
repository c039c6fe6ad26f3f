import { type Person, type Role, highestRole } from './person.ts';

/** Who uses the REST API. */
export type Principal =
  | { readonly kind: 'admin-token' }
  | { readonly kind: 'api-token'; readonly id: string; readonly name: string; readonly role: Role }
  | { readonly kind: 'person'; readonly person: Person; /** Of a browser; absent with a token of the provider. */ readonly sessionId: string | undefined };

export function roleOf(principal: Principal): Role {
  switch (principal.kind) {
    case 'admin-token':
      return 'admin';
    case 'api-token':
      return principal.role;
    case 'person':
      return highestRole(principal.person.roles);
  }
}

/** As the audit trail names them: one name for one principal, whatever a person is called. */
export function actorOf(principal: Principal): string {
  switch (principal.kind) {
    case 'admin-token':
      return 'admin-token';
    case 'api-token':
      return `api-token:${principal.name}`;
    case 'person':
      return `person:${principal.person.id}`;
  }
}
