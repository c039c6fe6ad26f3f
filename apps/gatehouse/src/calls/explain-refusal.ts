import { CommandFailure } from '../command-failure.ts';
import { findControlPlane, type GatewaySearch } from '../gateway/find-gateway.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import type { GatewayRefusal } from './open-client.ts';

export interface FailedCall {
  readonly error: unknown;
  readonly refusal: GatewayRefusal | undefined;
  readonly dataPlaneUrl: string;
  readonly server: string;
  readonly workspace: string;
  readonly search: GatewaySearch;
}

/** Why a call failed, as a sentence that says what to do. */
export async function explainRefusal(call: FailedCall): Promise<CommandFailure> {
  return new CommandFailure(await sentence(call), { cause: call.error });
}

async function sentence(call: FailedCall): Promise<string> {
  const { error, refusal, dataPlaneUrl, server, workspace } = call;
  if (refusal?.code === 'server_not_found') return `There is no server "${server}" in the workspace "${workspace}".${await otherServers(call)}`;
  if (refusal?.code === 'unauthenticated' && refusal.wantsLogin) return `The server "${server}" is for people who log in, which takes an MCP client: "gatehouse connect" says how to set one up (gatehouse connect claude ${server}).`;
  if (refusal?.code === 'unauthenticated') return `The server "${server}" wants to know who calls: give the key of a service account by --key or GATEHOUSE_KEY.`;
  if (refusal) return `The gateway answered ${refusal.status}: ${[refusal.message, refusal.code && `(${refusal.code})`].filter(Boolean).join(' ') || 'no reason given'}`;
  if (isUnreachable(error)) return `Nothing answers at ${dataPlaneUrl}: is "gatehouse up" running?`;
  return error instanceof Error ? error.message : String(error);
}

/** What there is instead, for those who may know: the admin token is at hand. */
async function otherServers({ workspace, search }: FailedCall): Promise<string> {
  try {
    const rest = createRestClient(await findControlPlane(search));
    const servers = await rest.list(`/v1/workspaces/${encodeURIComponent(workspace)}/servers`);
    if (servers.length === 0) return ' There are none yet: "gatehouse apply -f" registers one.';
    return ` There are: ${servers.map(({ name }) => String(name)).join(', ')}.`;
  } catch {
    return '';
  }
}

/** Undici wraps the socket's error, the SDK wraps undici's. */
function isUnreachable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && ['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'EAI_AGAIN', 'EHOSTUNREACH'].includes(cause.code)) return true;
    if (cause.message === 'fetch failed') return true;
  }
  return false;
}
