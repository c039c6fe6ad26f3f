import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSettings } from '@gatehouse/service-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { runCommand } from '../support/run-command.ts';
import { deployTools } from './deploy-tools.ts';
import { environmentOf, type Role, settingsOf } from './settings-of.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let text: string;
let compose: Compose;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-compose-'));
  text = await readFile(root('docker-compose.yml'), 'utf8');
  compose = parse(text, { merge: true }) as Compose;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const services = (): [string, Service][] => Object.entries(compose.services);
/** As Compose would put them in where nothing else is said. */
const interpolated = (value: string): string => value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

describe('docker-compose.yml', () => {
  it('is one by the specification', async () => {
    const tools = await deployTools();
    const read = async (value: object): Promise<string> => {
      const file = join(folder, 'compose.json');
      await writeFile(file, interpolated(JSON.stringify(value)));
      return (await tools.python([root('test/deploy/tools/compose.py'), file])).stderr.trim();
    };
    // Compose has resolved them by then.
    const { 'x-gatehouse': _, 'x-data-plane': __, 'x-data-plane-settings': ___, ...resolved } = compose as Compose & Record<string, unknown>;
    expect(await read(resolved)).toBe('');
    const { ingress } = compose.services;
    for (const wrong of [{ prots: [] }, { depends_on: { redis: { condition: 'well' } } }, { stop_grace_period: 'soon' }]) {
      expect(await read({ ...resolved, services: { ingress: { ...ingress, ...wrong } } }), JSON.stringify(wrong)).not.toBe('');
    }
  }, 240_000);

  it('has the production shape', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['control-plane', 'data-plane-1', 'data-plane-2', 'ingress', 'migrate', 'postgres', 'redis']);
    expect(compose.services['control-plane']?.depends_on?.['migrate']).toEqual({ condition: 'service_completed_successfully' });
  });

  it('every service has a read-only root, no capability, and says how it is, or ends', () => {
    for (const [name, service] of services()) {
      expect(service, name).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      if (name !== 'migrate') expect(service.healthcheck?.test[0], name).toMatch(/^CMD/);
      expect(service.build === '.' || /:\d/.test(service.image), name).toBe(true);
    }
  });

  it('has no secret in it: each is a file, which the script makes', async () => {
    for (const [name, { environment = {} }] of services()) {
      for (const [variable, value] of Object.entries(environment)) {
        if (/KEY|TOKEN|PASSWORD|DATABASE_URL|REDIS_URL/.test(variable)) expect([variable, value], name).toEqual([expect.stringMatching(/_FILE$/), expect.stringMatching(/^\/run\/secrets\//)]);
      }
      const read = Object.values(environment).flatMap((value) => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? []);
      const mounted = compose.services[name]?.secrets ?? [];
      expect([...read, ...(name === 'redis' ? ['redis-password'] : [])].sort(), name).toEqual([...mounted].sort());
    }
    const made = join(folder, 'secrets');
    const make = () => runCommand('sh', [root('deploy/compose/make-secrets.sh'), made]);
    expect(await make()).toMatchObject({ exitCode: 0, stderr: '' });
    const contents = async () => Promise.all((await readdir(made)).sort().map(async (file) => [file, await readFile(join(made, file), 'utf8')]));
    const first = await contents();
    expect(first.map(([file]) => `deploy/compose/secrets/${file}`)).toEqual(Object.values(compose.secrets).map(({ file }) => file).sort());
    expect((await stat(made)).mode & 0o777).toBe(0o700);
    // A second time changes nothing.
    expect(await make()).toMatchObject({ exitCode: 0 });
    expect(await contents()).toEqual(first);
    expect((await runCommand('git', ['check-ignore', 'deploy/compose/secrets/vault-key'], { cwd: root('.') })).exitCode).toBe(0);
    // And they are what the planes take.
    const values = Object.fromEntries(first) as Record<string, string>;
    const environment = Object.fromEntries(Object.keys(settingsOf['control-plane']).map((key) => [`GATEHOUSE_${key}`, values[key.toLowerCase().replaceAll('_', '-')]]));
    expect(() => readSettings(settingsOf['control-plane'], environment)).not.toThrow();
  });

  it('every setting is one of the role’s, with a value that it takes, and none is missing', () => {
    const roles = services().flatMap(([name, { command: [role = ''] = [], environment = {} }]) => (role in settingsOf ? [{ name, role: role as Role, environment }] : []));
    expect(roles).toHaveLength(4);
    for (const { name, role, environment } of roles) {
      const variables = Object.fromEntries(Object.entries(environment).map(([variable, value]) => [variable, interpolated(value)]));
      expect(() => readSettings(settingsOf[role], environmentOf(role, variables)), name).not.toThrow();
    }
  });

  it('asks for health at the internal ports, and gives data planes the time that they drain for', () => {
    const portOf = (role: Role, setting: string): unknown => settingsOf[role][setting]?.schema.parse(undefined);
    for (const [name, { command: [role] = [], healthcheck, stop_grace_period: grace = '', environment = {} }] of services()) {
      if (role !== 'control-plane' && role !== 'data-plane') continue;
      const port = portOf(role, `${role.toUpperCase().replace('-', '_')}_INTERNAL_PORT`);
      expect(healthcheck?.test.join(' '), name).toContain(`http://127.0.0.1:${String(port)}/readyz`);
      const drainMs = Number(environment['GATEHOUSE_DRAIN_TIMEOUT_MS'] ?? 25_000);
      expect(parseInt(grace, 10), name).toBeGreaterThanOrEqual(drainMs / 1000 + 10);
    }
  });

  it('lets only the control plane and the migration reach Postgres, and the world only the ingress, from this machine', () => {
    const on = (network: string): string[] => services().flatMap(([name, { networks }]) => (networks.includes(network) ? [name] : [])).sort();
    expect(on('postgres')).toEqual(['control-plane', 'migrate', 'postgres']);
    expect(on('redis')).toEqual(['control-plane', 'data-plane-1', 'data-plane-2', 'redis']);
    expect(services().flatMap(([, { ports = [] }]) => ports)).toEqual(['127.0.0.1:8080:8080']);
  });
});

describe('nginx.conf', () => {
  const servers: Server[] = [];
  let nginx: Nginx | undefined;
  let origin: string;
  const seen: { plane: string; path: string; headers: IncomingHttpHeaders }[] = [];

  beforeAll(async () => {
    const [data1, data2, control] = [await startPlane('data-plane'), await startPlane('data-plane'), await startPlane('control-plane')];
    nginx = await startNginx({ dataPlanes: [data1, data2], controlPlanes: [control] });
    origin = nginx.url;
  }, 60_000);
  afterAll(async () => {
    await nginx?.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function startPlane(plane: string): Promise<string> {
    const server = createServer((request, response) => {
      seen.push({ plane, path: request.url ?? '', headers: request.headers });
      if (request.url?.endsWith('/stream')) return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
      request.resume().on('end', () => response.end(plane));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it.each([
    ['/mcp/default/demo', 'data-plane'],
    ['/sse/default/demo', 'data-plane'],
    ['/sse/default/demo/messages?sessionId=1', 'data-plane'],
    ['/api/default/pets/v1//pets%2F1?limit=2', 'data-plane'],
    ['/.well-known/oauth-protected-resource/mcp/default/demo', 'data-plane'],
    ['/.well-known/oauth-authorization-server', 'control-plane'],
    ['/.well-known/jwks.json', 'control-plane'],
    ['/v1/workspaces/default/servers', 'control-plane'],
    ['/openapi.json', 'control-plane'],
    ['/docs', 'control-plane'],
    ['/', 'control-plane'],
  ])('%s goes to a %s as it came', async (path, plane) => {
    seen.length = 0;
    const answer = await fetch(origin + path, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
    expect(await answer.text()).toBe(plane);
    expect(seen).toEqual([{ plane, path, headers: expect.objectContaining({ host: new URL(origin).host, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' }) as unknown }]);
  });

  it('streams: what is written is there before the answer ends', async () => {
    const answer = await fetch(`${origin}/mcp/default/demo/stream`);
    const reader = (answer.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: first\n\n');
    await reader.cancel();
  });

  it('takes bodies that are larger than its own default', async () => {
    const answer = await fetch(`${origin}/api/default/pets/upload`, { method: 'POST', body: Buffer.alloc(3_000_000) });
    expect(answer.status).toBe(200);
  });
});
