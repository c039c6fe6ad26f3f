import { join } from 'node:path';
import type { InstanceSecrets } from './instance-secrets.ts';

export interface PlaneSettingsInput {
  /** The `GATEHOUSE_…` variables of the person who starts it: limits, log level, own keys, … */
  readonly given: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  readonly databaseUrl: string;
  readonly secrets: InstanceSecrets;
  readonly controlPlanePort: number;
  readonly dataPlanePort: number;
}

const host = '127.0.0.1';

/** The settings of both planes of one instance on one machine. */
export function planeSettings(input: PlaneSettingsInput): Record<string, string> {
  const { given, secrets } = input;
  return {
    ...given,
    ...unlessGiven(given, 'GATEHOUSE_VAULT_KEY', secrets.vaultKey),
    ...unlessGiven(given, 'GATEHOUSE_SNAPSHOT_KEY', secrets.snapshotKey),
    ...unlessGiven(given, 'GATEHOUSE_DATA_PLANE_TOKEN', secrets.dataPlaneToken),
    ...unlessGiven(given, 'GATEHOUSE_DATABASE_URL', input.databaseUrl),
    // The file's token is the one that the other commands find.
    GATEHOUSE_ADMIN_TOKEN: secrets.adminToken,
    // Nobody's identity provider knows this machine: people log in with accounts of the gateway's own.
    GATEHOUSE_LOCAL_LOGIN: given['GATEHOUSE_LOCAL_LOGIN'] ?? 'true',
    GATEHOUSE_CONTROL_PLANE_HOST: host,
    GATEHOUSE_CONTROL_PLANE_PORT: String(input.controlPlanePort),
    GATEHOUSE_CONTROL_PLANE_INTERNAL_HOST: host,
    GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: '0',
    GATEHOUSE_CONTROL_PLANE_URL: `http://${host}:${input.controlPlanePort}`,
    GATEHOUSE_DATA_PLANE_HOST: host,
    GATEHOUSE_DATA_PLANE_PORT: String(input.dataPlanePort),
    GATEHOUSE_DATA_PLANE_INTERNAL_HOST: host,
    GATEHOUSE_DATA_PLANE_INTERNAL_PORT: '0',
    GATEHOUSE_DATA_PLANE_URL: `http://${host}:${input.dataPlanePort}`,
    // A page in a browser must not reach the gateway under a name that somebody pointed at this machine.
    GATEHOUSE_ALLOWED_HOSTS: given['GATEHOUSE_ALLOWED_HOSTS'] ?? 'localhost,127.0.0.1,[::1]',
    GATEHOUSE_SNAPSHOT_DIR: given['GATEHOUSE_SNAPSHOT_DIR'] ?? join(input.dataDirectory, 'snapshots'),
    // On one's own machine, tools usually run there too.
    GATEHOUSE_EGRESS_ALLOWED_RANGES: ['loopback', given['GATEHOUSE_EGRESS_ALLOWED_RANGES']].filter(Boolean).join(','),
  };
}

/** A setting of which neither the value nor the file was given. */
function unlessGiven(given: Readonly<Record<string, string>>, name: string, value: string): Record<string, string> {
  return given[name] || given[`${name}_FILE`] ? {} : { [name]: value };
}
