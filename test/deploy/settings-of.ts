import { randomBytes } from 'node:crypto';
import { controlPlaneSettings } from '@gatehouse/control-plane';
import { dataPlaneSettings } from '@gatehouse/data-plane';
import { type Setting, settingName } from '@gatehouse/service-runtime';

export type Role = 'control-plane' | 'data-plane' | 'migrate';

/** The settings that a role reads. */
export const settingsOf: Readonly<Record<Role, Readonly<Record<string, Setting>>>> = {
  'control-plane': controlPlaneSettings,
  'data-plane': dataPlaneSettings,
  migrate: { DATABASE_URL: controlPlaneSettings.DATABASE_URL },
};

/** What stands in the files that deployments name, by the name of the file. */
const contents: Readonly<Record<string, string>> = {
  'database-url': 'postgres://gatehouse:password@postgres/gatehouse',
  'redis-url': 'redis://:password@redis:6379',
  'snapshot-key': randomBytes(32).toString('base64'),
  'vault-key': randomBytes(32).toString('base64'),
  'data-plane-token': randomBytes(32).toString('hex'),
  'admin-token': randomBytes(32).toString('hex'),
};

const prefix = 'GATEHOUSE_';

/**
 * The environment as the role would find it with its files in place. @throws Error that names a setting which the role does not have,
 * which may not come from a file, or a file that nobody makes
 */
export function environmentOf(role: Role, variables: Readonly<Record<string, string>>): Record<string, string> {
  const known = settingsOf[role];
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    // Those of OpenTelemetry have the names that they have everywhere.
    const isOurs = name.startsWith(prefix);
    if (!isOurs && !name.startsWith('OTEL_')) continue;
    const isFile = name.endsWith('_FILE');
    const key = (isOurs ? name.slice(prefix.length) : name).replace(/_FILE$/, '');
    const setting = known[key];
    if (setting === undefined) throw new Error(`${role} has no setting ${name}`);
    if (isFile !== (setting.secret === true)) throw new Error(`${name}: secrets, and nothing else, come from files`);
    const content = isFile ? contents[value.split('/').at(-1) ?? ''] : value;
    if (content === undefined) throw new Error(`nobody makes ${value}`);
    environment[settingName(key)] = content;
  }
  return environment;
}
