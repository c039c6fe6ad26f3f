import { type AgentAuth, agentAuth, agentAuthKey, prepareAgentAuth } from '@gatehouse/agent-auth';
import type { AddressGuard } from '@gatehouse/egress';
import { type ErrorCode, type Problem, toGatewayError } from '@gatehouse/errors';
import type { VirtualServerDocument, Warning } from '@gatehouse/gateway-config';
import { nameCollisions } from '@gatehouse/virtual-servers';
import { Inject, Injectable } from '@nestjs/common';
import { canonicalJson } from '../audit/canonical-json.ts';
import type { Sql } from '../database/sql.ts';
import { CompleteServers } from './complete-servers.service.ts';
import { addressGuardToken } from './probe/address-guard.provider.ts';
import { discoverServer } from './probe/discover-server.ts';
import { findServersByName, type StoredDocument } from './servers.store.ts';

type Members = VirtualServerDocument['members'];

/** What a member has, as far as that can be known now. */
type MemberTools = { readonly names: readonly string[] } | { readonly unknown: ErrorCode };

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
    if (!isVirtual(document) || (before !== undefined && canonicalJson(document['members']) === canonicalJson(before['members']))) return nothing;
    const members = document['members'] as Members;
    const tools = await Promise.all(members.map(({ server }) => this.#toolsOf(workspace, server)));
    const collisions = nameCollisions(members, tools.map((one) => ('names' in one ? one.names : undefined))).slice(0, maxCollisions);
    return {
      problems: collisions.map(({ member, own, listed, earlier }) => ({
        pointer: `/members/${member}`,
        detail: `has the tool ${own}, which would be ${listed}, as one of ${members[earlier]?.server ?? ''} is already: give it a prefix or another name, or leave it out`,
        code: 'name_collision',
      })),
      warnings: [...members.entries()].flatMap(([index, member]) => warningsOf(member, index, tools[index])),
    };
  }

  async #toolsOf(workspace: string, name: string): Promise<MemberTools> {
    try {
      const { server } = await this.#servers.complete(workspace, name);
      if (server.type === 'api') return { names: server.tools.operations.map((operation) => operation.name) };
      const { tools } = await discoverServer(server, { guard: this.#guard, limits });
      return { names: tools.map((tool) => tool.name) };
    } catch (error) {
      return { unknown: toGatewayError(error).code };
    }
  }
}

function warningsOf({ rename = {} }: Members[number], index: number, tools: MemberTools | undefined): Warning[] {
  if (tools === undefined || 'unknown' in tools) {
    return [{ code: 'member_tools_unknown', pointer: `/members/${index}`, detail: `What tools it has could not be seen (${tools?.unknown ?? 'internal'}): of those whose name an earlier member has too, nobody was told.` }];
  }
  return Object.keys(rename).flatMap((own): Warning[] => (tools.names.includes(own) ? [] : [{ code: 'renamed_tool_unknown', pointer: `/members/${index}/rename`, detail: `It has no tool ${own} now.` }]));
}

export const isVirtual = (document: StoredDocument | null | undefined): boolean => document?.['type'] === 'virtual';

/**
 * Whether members are there and let in nobody whom the virtual server would not let in: each has the very same agent authentication,
 * or none that anybody has to pass. Within the transaction that saves it.
 */
export async function memberProblems(sql: Sql, workspaceId: string, document: StoredDocument): Promise<Problem[]> {
  if (!isVirtual(document)) return [];
  const members = document['members'] as Members;
  const rows = await findServersByName(sql, workspaceId, members.map(({ server }) => server));
  const found = new Map(rows.map((row) => [row.name, row.document]));
  const own = agentAuth.parse(document['agentAuth']);
  return members.flatMap(({ server }, index): Problem[] => {
    const problem = problemOf(own, found.get(server));
    return problem === undefined ? [] : [{ pointer: `/members/${index}/server`, ...problem }];
  });
}

function problemOf(own: AgentAuth, member: StoredDocument | undefined): Omit<Problem, 'pointer'> | undefined {
  if (member === undefined) return { detail: 'is not a server of this workspace', code: 'member_not_found' };
  if (isVirtual(member)) return { detail: 'is virtual itself: name its members instead', code: 'nested_virtual_server' };
  const { data } = agentAuth.safeParse(member['agentAuth']);
  if (data !== undefined && (prepareAgentAuth(data).open || agentAuthKey(data) === agentAuthKey(own))) return undefined;
  return { detail: 'lets callers in by other rules than this server: agentAuth of both must be the same, or that of the member passthrough without jwt', code: 'agent_auth_differs' };
}
