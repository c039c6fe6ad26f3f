import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { gatehouse } from './spec-gatehouse.ts';

const run = (args: readonly string[], env?: Readonly<Record<string, string>>) => gatehouse(args, { cwd: tmpdir(), ...(env && { env }) });

describe('exit codes', () => {
  it.each<[string[], number, RegExp]>([
    [['cal'], 2, /Did you mean call\?/],
    [['up', '--demoo'], 2, /Did you mean --demo\?/],
    [['up', '--data-plane-port', '70000'], 2, /from 0 to 65535/],
    [['apply'], 2, /--file/],
    [['connect', 'emacs'], 2, /claude, claude-desktop, cursor, vscode, inspector/],
    [['call', 'demo'], 1, /is "gatehouse up" running\?/],
    [['explain'], 2, /missing required argument/],
    [['explain', 'demo', '-H', 'nonsense'], 2, /write "Name: value"/],
    [['explain', 'demo', '--curl', 'curl x', '-X', 'GET'], 2, /in one way/],
    [['explain', 'demo', '--har', 'nothing.har'], 1, /there is no such file/],
    [['explain', 'demo'], 1, /is "gatehouse up" running\?/],
    [['apply', '-f', 'nothing.yaml'], 1, /there is no such file/],
    [['keys', 'rotate'], 2, /--workspace <name>, or --all/],
    [['keys', 'rotate', '--all', '--workspace', 'default'], 2, /cannot be used with/],
    [['keys', 'lis'], 2, /Did you mean list\?/],
    [['keys', 'list'], 1, /is "gatehouse up" running\?/],
    [['data-plane'], 78, /GATEHOUSE_SNAPSHOT_KEY is required/],
    [['control-plane'], 78, /GATEHOUSE_DATABASE_URL is required/],
    [['migrate'], 78, /GATEHOUSE_DATABASE_URL is required/],
  ])('gatehouse %j: %i', async (args, exitCode, message) => {
    const result = await run(args);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it('are 78 for an address that is no URL, 1 for one where nobody answers', async () => {
    expect(await run(['call', 'demo'], { GATEHOUSE_DATA_PLANE_URL: 'localhost' })).toMatchObject({ exitCode: 78 });
    const unreachable = await run(['call', 'demo'], { GATEHOUSE_DATA_PLANE_URL: 'http://127.0.0.1:9' });
    expect(unreachable).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Nothing answers at http://127.0.0.1:9') as string });
  });

  it('are 0 for help and version', async () => {
    expect(await run(['--version'])).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: '' });
    expect(await run(['up', '--help'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('--data-plane-port') as string });
    expect(await run(['data-plane', '--help'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('GATEHOUSE_REDIS_URL[_FILE]') as string });
  });
});
