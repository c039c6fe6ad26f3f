import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { adminTokenPath } from '../gateway/instance-file.ts';
import { readOrCreateSecretFile } from '../data-directory.ts';

/** Made at the first start, each in a file of its own that only its owner can read. */
export interface InstanceSecrets {
  readonly adminToken: string;
  readonly vaultKey: string;
  readonly snapshotKey: string;
  readonly dataPlaneToken: string;
}

export async function readOrCreateSecrets(dataDirectory: string): Promise<InstanceSecrets> {
  const keys = join(dataDirectory, 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const [adminToken, vaultKey, snapshotKey, dataPlaneToken] = await Promise.all([
    readOrCreateSecretFile(adminTokenPath(dataDirectory), () => `gatehouse_admin_${randomBytes(32).toString('base64url')}`),
    readOrCreateSecretFile(join(keys, 'vault-key'), newKey),
    readOrCreateSecretFile(join(keys, 'snapshot-key'), newKey),
    readOrCreateSecretFile(join(keys, 'data-plane-token'), newKey),
  ]);
  return { adminToken, vaultKey, snapshotKey, dataPlaneToken };
}

const newKey = (): string => randomBytes(32).toString('base64');
