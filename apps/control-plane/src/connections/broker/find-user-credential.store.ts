import type { TokenSubject } from '@gatehouse/access-tokens';
import type { AgentAuth } from '@gatehouse/agent-auth';
import type { Sql } from '../../database/sql.ts';
import type { PersonRow } from '../../identity/people.store.ts';
import type { StoredDocument } from '../../servers/servers.store.ts';
import { whoIsMeant } from './find-subject.store.ts';

/** A server, a credential of its workspace, whoever is meant, and what they have entered. */
export interface CredentialLookup {
  readonly workspaceId: string;
  readonly document: StoredDocument;
  readonly agentAuth: AgentAuth | null;
  readonly person: PersonRow | null;
  /** Null where there is none of this name that is each person's own. */
  readonly credentialId: string | null;
  readonly credentialTitle: string | null;
  /** Null where they have entered nothing. */
  readonly valueId: string | null;
  readonly sealed: Buffer | null;
}

const lookUp = (kind: 'person' | 'issuer', name: string): string =>
  `with who as (${whoIsMeant[kind]})
   select s.workspace_id as "workspaceId", s.document, s.document->'agentAuth' as "agentAuth", (select to_jsonb(who) from who) as person,
     c.id as "credentialId", coalesce(c.document->>'title', c.name) as "credentialTitle", u.id as "valueId", u.sealed
   from servers s
     left join credentials c on c.workspace_id = s.workspace_id and c.name = ${name} and c.document->>'scope' = 'user'
     left join user_credentials u on u.credential_id = c.id and u.person_id = (select id from who)
   where s.id = $1`;

const statements = { person: lookUp('person', '$3'), issuer: lookUp('issuer', '$4') } as const;

export async function findUserCredential(sql: Sql, serverId: string, subject: Exclude<TokenSubject, 'shared'>, name: string): Promise<CredentialLookup | undefined> {
  const [row] =
    'person' in subject
      ? await sql<CredentialLookup>(statements.person, [serverId, subject.person, name])
      : await sql<CredentialLookup>(statements.issuer, [serverId, subject.issuer, subject.subject, name]);
  return row;
}
