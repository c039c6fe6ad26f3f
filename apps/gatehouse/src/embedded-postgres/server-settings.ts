import { statSync } from 'node:fs';

/** For one small machine. What protects the data (fsync, full_page_writes, synchronous_commit) stays as Postgres ships it. */
const settings = {
  listen_addresses: '127.0.0.1',
  // A socket's path may have 107 bytes at most; a data directory's may be longer.
  unix_socket_directories: '',
  ssl: 'off',
  shared_buffers: '64MB',
  max_connections: '100',
  // No replicas: less log to write, and fewer processes.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // Without the detail of an error, which quotes whole rows.
  log_error_verbosity: 'terse',
};

export function serverArguments(cluster: string, port: number): string[] {
  const all = { ...settings, port: String(port), cluster_name: clusterName(cluster) };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Names the folder itself, not its path: a server is recognised as this cluster's wherever the folder was moved meanwhile. */
export function clusterName(cluster: string): string {
  const { dev, ino } = statSync(cluster, { bigint: true });
  return `gatehouse-${dev}-${ino}`;
}
