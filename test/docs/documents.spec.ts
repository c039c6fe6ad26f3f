import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlPlaneSettings } from '@gatehouse/control-plane';
import { dataPlaneSettings } from '@gatehouse/data-plane';
import { errorCodes } from '@gatehouse/errors';
import { agentAuthTypes } from '@gatehouse/agent-auth';
import { appAuthTypes } from '@gatehouse/app-auth';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/README.md'];
const texts = new Map<string, string>();

beforeAll(async () => {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  for (const file of [...files, ...docs]) texts.set(file, await readFile(join(root, file), 'utf8'));
});

/** Of the command line, not of a plane. */
const commandLineSettings = ['TOKEN', 'TOKEN_FILE', 'KEY'];

/** Of the tests of faults (docs/faults.md). */
const settingsOfFaults = ['OUTAGE_SECONDS', 'CLOCK_SECONDS', 'SOAK_MINUTES'];

describe('the documentation names only what is there', () => {
  it('settings', () => {
    const known = new Set([...Object.keys(controlPlaneSettings), ...Object.keys(dataPlaneSettings), ...commandLineSettings, ...settingsOfFaults]);
    for (const [file, text] of texts) {
      for (const [, name = ''] of text.matchAll(/GATEHOUSE_([A-Z_]+[A-Z])/g)) expect(known.has(name.replace(/_FILE$/, '')), `${file}: GATEHOUSE_${name}`).toBe(true);
    }
  });

  it('links', () => {
    for (const [file, text] of texts) {
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) expect(existsSync(join(root, dirname(file), target)), `${file}: ${target}`).toBe(true);
    }
  });

  it('npm scripts', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    for (const [file, text] of texts) for (const [, name = ''] of text.matchAll(/npm run ([a-z]+)/g)) expect(scripts, `${file}: npm run ${name}`).toHaveProperty(name);
  });

  it('errors, and every error that a caller may get', () => {
    const table = texts.get('docs/clients.md') ?? '';
    const named = [...table.matchAll(/^\| [\d, ]+ \| ([^|]+)\|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code));
    for (const code of named) expect(errorCodes, String(code)).toHaveProperty(String(code));
    expect(named.length).toBeGreaterThan(15);
  });

  it('authentication types, all of them', () => {
    const text = texts.get('docs/servers.md') ?? '';
    for (const { type } of [...agentAuthTypes, ...appAuthTypes]) expect(text, type).toMatch(new RegExp(`^\\| \`${type}\``, 'm'));
  });
});
