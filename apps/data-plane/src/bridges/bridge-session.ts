import type { SessionOwner } from '@gatehouse/mcp-protocol';

export interface BridgeSession {
  readonly id: string;
  /** For whom it was opened; nobody else finds it. */
  readonly ownerKey: string;
  /** Whether somebody is waiting for something of it at this moment. */
  readonly isBusy: boolean;
  /** Resolves when the upstream has been told. May be called again. */
  close(): Promise<void>;
}

export const ownerKeyOf = ({ workspace, serverId, upstreamUrl, callerId }: SessionOwner): string => [workspace, serverId, upstreamUrl, callerId].join('\0');
