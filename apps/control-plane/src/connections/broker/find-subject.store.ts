import type { TokenSubject } from '@gatehouse/access-tokens';
import type { AgentAuth } from '@gatehouse/agent-auth';
import type { Sql } from '../../database/sql.ts';
import { personColumns, type PersonRow } from '../../identity/people.store.ts';
import { type SealedConnection, sealedColumns } from '../connections.store.ts';

/** Of a server's document, what says whose tokens its calls need. */
export interface ConnectionAuth {
  readonly type: string;
  readonly app?: string;
  readonly discover?: boolean;
  readonly scopes?: readonly string[];
  readonly shared?: boolean;
}

export interface TokenLookup {
  readonly serverId: string;
  readonly serverTitle: string;
  readonly workspaceId: string;
  readonly appAuth: ConnectionAuth;
  readonly agentAuth: AgentAuth | null;
  /** As its document has it. */
  readonly upstream: string | null;
  /** Null where the server names no app, or one that is not there. */
  readonly appId: string | null;
  readonly appTitle: string | null;
  readonly person: PersonRow | null;
}

export interface FoundSubject {
  readonly lookup: TokenLookup;
  readonly connection: SealedConnection | undefined;
}

/** People of a subject, whose parameters begin with $2. Whoever is able to log in comes first, should two providers of one issuer know them. */
export const whoIsMeant: Readonly<Record<'person' | 'issuer' | 'shared', string>> = {
  person: `select ${personColumns} from people p where p.id = $2`,
  issuer: `select * from (select ${personColumns} from people p where p.issuer = $2 and p.subject = $3) k order by suspended, disabled, "lastLoginAt" desc nulls last limit 1`,
  shared: `select ${personColumns} from people p where false`,
};

const lookUp = (kind: keyof typeof whoIsMeant): string =>
  `with who as (${whoIsMeant[kind]})
   select s.id as "serverId", coalesce(s.document->>'title', s.name) as "serverTitle", s.workspace_id as "lookupWorkspaceId", s.document->'appAuth' as "appAuth",
     s.document->'agentAuth' as "agentAuth", s.document->'upstream'->>'url' as upstream,
     a.id as "appId", coalesce(a.document->>'title', a.name) as "appTitle", (select to_jsonb(who) from who) as person, ${sealedColumns}
   from servers s
     left join apps a on a.workspace_id = s.workspace_id and a.name = s.document->'appAuth'->>'app'
     left join connections c on c.owner_id = coalesce(a.id, s.id) and c.session_id is null
       and ${kind === 'shared' ? 'c.person_id is null' : 'c.person_id = (select id from who)'}
   where s.id = $1`;

const statements = { person: lookUp('person'), issuer: lookUp('issuer'), shared: lookUp('shared') } as const;

/** A server, whoever is meant, and their connection: one statement, and each of its steps by an index. */
export async function findSubject(sql: Sql, serverId: string, subject: TokenSubject): Promise<FoundSubject | undefined> {
  const [row] = await sql<TokenLookup & SealedConnection & { id: string | null; lookupWorkspaceId: string }>(...subjectStatement(serverId, subject));
  if (!row) return undefined;
  const { serverTitle, lookupWorkspaceId, appAuth, agentAuth, upstream, appId, appTitle, person, ...connection } = row;
  const lookup = { serverId, serverTitle, workspaceId: lookupWorkspaceId, appAuth, agentAuth, upstream, appId, appTitle, person };
  return { lookup, connection: row.id === null ? undefined : connection };
}

/** The statement that each token that is not cached on a data plane costs. */
export function subjectStatement(serverId: string, subject: TokenSubject): [text: string, parameters: readonly unknown[]] {
  if (subject === 'shared') return [statements.shared, [serverId]];
  if ('person' in subject) return [statements.person, [serverId, subject.person]];
  return [statements.issuer, [serverId, subject.issuer, subject.subject]];
}
