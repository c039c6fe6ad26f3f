import { readFile, stat } from 'node:fs/promises';

/** Whom the server runs as; empty: as this process. */
export type ServerUser = { readonly uid: number; readonly gid: number } | { readonly uid?: never; readonly gid?: never };

/** What most systems give `nobody`, for those that have no such line. */
const NOBODY: ServerUser = { uid: 65_534, gid: 65_534 };

/**
 * Postgres refuses to run as root, so root starts it as the owner of the existing data, which keeps a directory usable that was
 * made without root, or else as `nobody`.
 */
export async function chooseServerUser(cluster: string): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  const owner = await stat(cluster).catch(() => undefined);
  return owner === undefined || owner.uid === 0 ? findNobody() : { uid: owner.uid, gid: owner.gid };
}

async function findNobody(): Promise<ServerUser> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(accounts) ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : NOBODY;
}
