import { readFile } from 'node:fs/promises';
import { disownPostmasterFile, readPostmasterFile, removePostmasterFile } from './postmaster-file.ts';
import { isRunning, pidExists } from './process-identity.ts';
import { clusterName } from './server-settings.ts';
import { stopProcess } from './stop-process.ts';

/**
 * Makes way for a new server: stops the one that outlived a killed parent, and sees that a pid file left behind does not block.
 * Only for a cluster whose data directory this process has claimed: then whatever runs on it is nobody's.
 */
export async function stopLeftoverServer(cluster: string): Promise<void> {
  const left = await readPostmasterFile(cluster);
  if (left === undefined) return removePostmasterFile(cluster);
  if (isRunning(left.pid) && (await isServerOf(cluster, left.pid))) return stopProcess(left.pid);
  if (pidExists(left.pid)) await disownPostmasterFile(cluster);
}

/** By the arguments it was started with: the pid alone may meanwhile be any process. */
async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  const commandLine = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return commandLine.includes(`cluster_name=${clusterName(cluster)}`);
}
