import { ConnectError } from '@gatehouse/access-tokens';
import { toGatewayError } from '@gatehouse/errors';
import { firstModernRevision, negotiatedRevision, rpcResult } from '@gatehouse/mcp-protocol';
import { version } from '@gatehouse/service-runtime';
import { type Capabilities, mergeCapabilities } from '@gatehouse/virtual-servers';
import type { Reply } from '../pipeline/request.ts';
import type { Member, MissingMember } from './members.ts';
import type { OpenedMember } from './open-member.ts';
import { jsonReply } from './own-replies.ts';
import { patienceMs, type VirtualCall } from './virtual-call.ts';
import { sealVirtualSession } from './virtual-session.ts';

type Opening = { readonly member: Member } & ({ readonly opened: OpenedMember } | { readonly missing: MissingMember });

/** `initialize`: one session with all members, each of which is begun with. One that is down now is tried again when it is needed. */
export async function initializeVirtual(virtualCall: VirtualCall): Promise<Reply> {
  const { gateway, admitted, calls, asked } = virtualCall;
  const { call } = admitted;
  const openings = await openAll(virtualCall, (member) => calls.patiently((patient) => patient.open(member, asked.text), patienceMs(gateway)));
  // The gateway answers for an API itself, whatever session that is in.
  const sessions = new Map(openings.flatMap((opening) => ('opened' in opening && opening.opened !== unconnected && opening.member.server.operations === undefined ? [[opening.member.server, opening.opened.session] as const] : [])));
  const session = sealVirtualSession(gateway.callContext.sessions, call.owner, calls.client, sessions);
  const { capabilities, instructions, serverInfo } = describe(virtualCall, openings);
  const body = rpcResult(call.message?.id ?? null, { protocolVersion: negotiatedRevision(calls.client.protocolVersion), capabilities, serverInfo, ...instructions });
  return jsonReply(body, 200, ['mcp-session-id', session]);
}

/** `server/discover` (MCP 2026-07-28). */
export async function discoverVirtual(virtualCall: VirtualCall): Promise<Reply> {
  const { gateway, admitted, calls, asked } = virtualCall;
  const openings = await openAll(virtualCall, (member) => calls.patiently((patient) => patient.discover(member, asked.text), patienceMs(gateway)));
  const { capabilities, instructions, serverInfo } = describe(virtualCall, openings);
  const result = { resultType: 'complete', supportedVersions: [firstModernRevision], capabilities, ...instructions, ttlMs: 0, cacheScope: 'private', _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo } };
  return jsonReply(rpcResult(admitted.call.message?.id ?? null, result));
}

function openAll({ members }: VirtualCall, open: (member: Member) => Promise<OpenedMember>): Promise<Opening[]> {
  return Promise.all(
    members.usable.map(async (member): Promise<Opening> => {
      try {
        return { member, opened: await open(member) };
      } catch (error) {
        return error instanceof ConnectError ? { member, opened: unconnected } : { member, missing: { server: member.server.name, code: toGatewayError(error).code } };
      }
    }),
  );
}

/** Its tools are listed once an account is connected; until then there is one, to do so. */
const ofUnconnected: Capabilities = { tools: { listChanged: true } };
const unconnected: OpenedMember = { session: { era: 'modern' }, capabilities: ofUnconnected, instructions: undefined };

const maxInstructions = 16_384;

function describe({ admitted: { server }, members }: VirtualCall, openings: readonly Opening[]) {
  const opened = openings.flatMap((opening) => ('opened' in opening ? [opening] : []));
  const missing = [...members.missing, ...openings.flatMap((opening) => ('missing' in opening ? [opening.missing] : []))];
  const texts = opened.flatMap(({ member, opened: { instructions } }) => (instructions === undefined ? [] : [`${member.server.title}: ${instructions}`]));
  if (missing.length > 0) texts.push(`Not available at the moment, and missing in lists: ${missing.map(({ server: name, code }) => `${name} (${code})`).join(', ')}.`);
  return {
    capabilities: mergeCapabilities(opened.map((one) => one.opened.capabilities)),
    instructions: texts.length === 0 ? {} : { instructions: texts.join('\n\n').slice(0, maxInstructions) },
    serverInfo: { name: server.name, title: server.title, version },
  };
}
