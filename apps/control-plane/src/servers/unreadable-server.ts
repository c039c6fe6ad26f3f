import { readableServerFields, type Warning } from '@gatehouse/gateway-config';
import { z } from 'zod';
import type { ServerRow } from './servers.store.ts';

/** What is known of a server whose stored document this release does not take: a newer one wrote it, or somebody by hand. */
export const unreadableServer = readableServerFields
  .pick({ id: true, workspace: true, name: true, revision: true, createdAt: true, updatedAt: true, warnings: true })
  .extend({ name: z.string() })
  .meta({ id: 'UnreadableServer' });

export type UnreadableServer = z.output<typeof unreadableServer>;

export function presentUnreadable({ id, workspace, name, revision, createdAt, updatedAt }: ServerRow): UnreadableServer {
  return { id, workspace, name, revision, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString(), warnings: [unreadableWarning] };
}

export const unreadableWarning: Warning = {
  code: 'server_unreadable', pointer: '',
  detail: 'What is stored is not a server that this release takes. A data plane keeps the one it had, and does not serve it where it had none. Replace it or delete it.',
};

