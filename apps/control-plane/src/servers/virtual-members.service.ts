import { type AgentAuth, agentAuth, agentAuthKey, prepareAgentAuth } from '@gatehouse/agent-auth';
import type { AddressGuard } from '@gatehouse/egress';
import { type ErrorCode, type Problem, toGatewayError } from '@gatehouse/errors';
import type { UpstreamServerDocument, VirtualServerDocument, Warning } from '@gatehouse/gateway-config';
import { ToolRules } from '@gatehouse/mcp-protocol';
import { usesCaller } from '@gatehouse/upstream-request';
import { nameCollisions } from '@gatehouse/virtual-servers';
import { Inject, Injectable } from '@nestjs/common';
import { canonicalJson } from '../audit/canonical-json.ts';
import type { Sql } from '../database/sql.ts';
import { listSecrets } from '../vault/secrets.store.ts';
import { CompleteServers } from './complete-servers.service.ts';
import { prepareStoredServer } from './prepare-stored-server.ts';
import { addressGuardToken } from './probe/address-guard.provider.ts';
import { discoverServer } from './probe/discover-server.ts';
import { findServersByName, type ServerRow, type StoredDocument } from './servers.store.ts';

type Members = VirtualServerDocument['members'];

/** What of a member can be called, as far as that can be known now. */
type MemberTools = { readonly names: readonly string[]; readonly isAll: boolean } | { readonly unknown: ErrorCode };

interface FoundMember {
  readonly tools: MemberTools;
  /** Whether its upstream is called with what callers bring. */
  readonly isPassedOn: boolean;
}

export interface MemberFindings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
}

const nothing: MemberFindings = { problems: [], warnings: [] };
/** A save waits for no more than this. */
const limits = { stepMs: 3_000, totalMs: 5_000 };
const maxCollisions = 20;

/** The members of virtual servers, when one is saved. */
@Injectable()
export class VirtualMembers {
  readonly #servers: CompleteServers;
  readonly #guard: AddressGuard;

  constructor(servers: CompleteServers, @Inject(addressGuardToken) guard: AddressGuard) {
    this.#servers = servers;
    this.#guard = guard;
  }

  /**
   * Whether names would meet: asked of the members, and so before the transaction. Of those that do not answer it is not known, and
   * the first that has a name will have it.
   */
  async findCollisions(workspace: string, document: StoredDocument, before?: StoredDocument): Promise<MemberFindings> {
    if (!isVirtual(document) || (before !== undefined && namesOf(document) === namesOf(before))) return nothing;
    const members = document['members'] as Members;
    const found = await Promise.all(members.map(({ server }) => this.#find(workspace, server)));
    const collisions = nameCollisions(members, found.map(({ tools }) => ('names' in tools ? tools.names : undefined)), mayCallIn(document)).slice(0, maxCollisions);
    return {
      problems: collisions.map(({ member, own, listed, earlier }) => ({
        pointer: `/members/${member}`,
        detail: `has the tool ${own}, which would be ${listed}, as one of ${members[earlier]?.server ?? ''} is already: give it a prefix or another name, or leave it out`,
        code: 'name_collision',
      })),
      warnings: [...members.entries()].flatMap(([index, member]) => warningsOf(member, index, found[index])),
    };
  }

  async #find(workspace: string, name: string): Promise<FoundMember> {
    try {
      const { server } = await this.#servers.complete(workspace, name);
      return { tools: await this.#toolsOf(server), isPassedOn: server.appAuth.type === 'passthrough' };
    } catch (error) {
      return { tools: { unknown: toGatewayError(error).code }, isPassedOn: false };
    }
  }

  async #toolsOf(server: UpstreamServerDocument): Promise<MemberTools> {
    try {
      const { tools, truncated } = server.type === 'api' ? { tools: server.tools.operations, truncated: false } : await discoverServer(server, { guard: this.#guard, limits });
      return { names: tools.map((tool) => tool.name).filter(mayCallIn(server)), isAll: !truncated };
    } catch (error) {
      return { unknown: toGatewayError(error).code };
    }
  }
}

function warningsOf({ rename = {}, callerCredential }: Members[number], index: number, found: FoundMember | undefined): Warning[] {
  const isKept = found?.isPassedOn === true && callerCredential === undefined;
  const kept: Warning = { code: 'caller_credential_kept', pointer: `/members/${index}/callerCredential`, detail: 'Its upstream is called with the credential that callers bring, which goes to no member that does not say so.' };
  return [...(isKept ? [kept] : []), ...toolWarningsOf(rename, index, found?.tools)];
}

function toolWarningsOf(rename: Readonly<Record<string, string>>, index: number, tools: MemberTools | undefined): Warning[] {
  if (tools === undefined || 'unknown' in tools) return [toolsUnknown(index, `What tools it has could not be seen (${tools?.unknown ?? 'internal'})`)];
  if (!tools.isAll) return [toolsUnknown(index, 'It has more tools than are looked at here')];
  return Object.keys(rename).flatMap((own): Warning[] => (tools.names.includes(own) ? [] : [{ code: 'renamed_tool_unknown', pointer: `/members/${index}/rename`, detail: `It has no tool ${own} now.` }]));
}

const toolsUnknown = (index: number, why: string): Warning => ({ code: 'member_tools_unknown', pointer: `/members/${index}`, detail: `${why}: of those whose name an earlier member has too, nobody was told.` });

/** Tools that nobody can call are not in anybody's way. */
function mayCallIn({ access }: StoredDocument | UpstreamServerDocument): (tool: string) => boolean {
  const tools = (access as UpstreamServerDocument['access'])?.tools;
  return tools === undefined ? () => true : new ToolRules(tools).mayCall;
}

/** All that names in a virtual server depend on, apart from its members themselves. */
const namesOf = ({ members, access }: StoredDocument): string => canonicalJson([members, (access as VirtualServerDocument['access'])?.tools ?? null]);

export const isVirtual = (document: StoredDocument | null | undefined): boolean => document?.['type'] === 'virtual';

/**
 * Whether members are there and let in nobody whom the virtual server would not let in: each has the very same agent authentication,
 * or none that anybody has to pass, and then nothing of who calls either. Within the transaction that saves it.
 */
export async function memberProblems(sql: Sql, workspaceId: string, document: StoredDocument): Promise<Problem[]> {
  if (!isVirtual(document)) return [];
  const members = document['members'] as Members;
  const rows = await findServersByName(sql, workspaceId, members.map(({ server }) => server));
  const secrets = Map.groupBy(await listSecrets(sql, 'servers', rows.map((row) => row.id)), ({ ownerId }) => ownerId);
  const found = new Map(rows.map((row) => [row.name, row]));
  const own = agentAuth.parse(document['agentAuth']);
  return members.flatMap(({ server }, index): Problem[] => {
    const member = found.get(server);
    const problem = problemOf(own, member, (member && secrets.get(member.id))?.map(({ field }) => field) ?? []);
    return problem === undefined ? [] : [{ pointer: `/members/${index}/server`, ...problem }];
  });
}

function problemOf(own: AgentAuth, member: ServerRow | undefined, secretLocations: readonly string[]): Omit<Problem, 'pointer'> | undefined {
  if (member === undefined) return { detail: 'is not a server of this workspace', code: 'member_not_found' };
  if (isVirtual(member.document)) return { detail: 'is virtual itself: name its members instead', code: 'nested_virtual_server' };
  const { data } = agentAuth.safeParse(member.document['agentAuth']);
  if (data !== undefined && agentAuthKey(data) === agentAuthKey(own)) return undefined;
  const isOpen = data !== undefined && prepareAgentAuth(data).open;
  if (!isOpen) return { detail: 'lets callers in by other rules than this server: agentAuth of both must be the same, or that of the member passthrough without jwt', code: 'agent_auth_differs' };
  const prepared = prepareStoredServer(member, secretLocations);
  if (prepared !== undefined && !usesCaller(prepared)) return undefined;
  return { detail: 'sends its upstream what is its callers’ own, or says who they are, and finds that out by other rules than this server: agentAuth of both must be the same', code: 'agent_auth_differs' };
}
