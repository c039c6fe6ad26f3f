import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let eslint: ESLint;

beforeAll(() => {
  // Without its project graph the rule would be skipped without an error, and with it this spec's point.
  execFileSync('node_modules/.bin/nx', ['show', 'projects'], { cwd: root, stdio: 'ignore', env: { ...process.env, NX_DAEMON: 'false' } });
  eslint = new ESLint({ cwd: root });
});

const rulesAgainst = async (code: string, filePath: string): Promise<(string | null)[]> => {
  const [result] = await eslint.lintText(code, { filePath: `${root}/${filePath}` });
  return result?.messages.map(({ ruleId }) => ruleId) ?? [];
};

// Each row is planted into a file that exists, so that the linter sees it as part of its project.
describe('the linter refuses', () => {
  it.each([
    ['the data plane to import the control plane', 'apps/data-plane/src/environment.ts', `export * from '@gatehouse/control-plane';`, '@nx/enforce-module-boundaries'],
    ['the control plane to import the data plane', 'apps/control-plane/src/environment.ts', `export * from '@gatehouse/data-plane';`, '@nx/enforce-module-boundaries'],
    ['a kernel lib to import a domain lib', 'libs/sealing/src/secret.ts', `export * from '@gatehouse/agent-auth';`, '@nx/enforce-module-boundaries'],
    ['a protocol lib to import a runtime lib', 'libs/egress/src/index.ts', `export * from '@gatehouse/snapshot-channel';`, '@nx/enforce-module-boundaries'],
    ['a lib to import Nest', 'libs/errors/src/index.ts', `export * from '@nestjs/common';`, '@typescript-eslint/no-restricted-imports'],
    ['the data plane to import the database', 'apps/data-plane/src/environment.ts', `export * from 'typeorm';`, '@typescript-eslint/no-restricted-imports'],
    ['a lib to import Redis', 'libs/egress/src/index.ts', `export * from 'ioredis';`, '@typescript-eslint/no-restricted-imports'],
    ['settings to be read in passing', 'libs/errors/src/index.ts', `export const home = process.env['HOME'];`, 'no-restricted-properties'],
  ])('%s', async (_name, filePath, code, rule) => {
    expect(await rulesAgainst(`${code}\n`, filePath)).toContain(rule);
  });

  it('nothing of what is allowed', async () => {
    expect(await rulesAgainst(`export * from '@gatehouse/errors';\n`, 'apps/data-plane/src/environment.ts')).toEqual([]);
  });
});
