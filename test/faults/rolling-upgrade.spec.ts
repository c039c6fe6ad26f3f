import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AdminClient } from '../support/admin-client.ts';
import { buildFormer, formerCommit, type FormerBuild } from '../support/former-build.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

type Release = 'former' | 'this';
type Rejects = readonly { readonly id: string }[];

const releases: readonly Release[] = ['former', 'this'];
const patience = { timeout: 60_000, interval: 100 };
const former = await formerCommit();

let build: FormerBuild;
let shape: ProductionShape;
let upstream: RecordingUpstream;
const admins = {} as Record<Release, AdminClient>;
const planes = {} as Record<Release, DataPlaneProcess>;
const created = new Map<string, string>();
let calls = 0;

/** The stored key that the upstream sees when a data plane is called. */
async function keySeenThrough({ dataPlaneUrl }: DataPlaneProcess, server: string): Promise<string | undefined> {
  const id = (calls += 1);
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: {} } });
  const response = await fetch(`${dataPlaneUrl}/mcp/default/${server}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (response.status !== 200) return `${response.status} ${await response.text()}`;
  const seen = upstream.requests.find((request) => (JSON.parse(request.body.toString()) as { id: number }).id === id);
  return seen && headerValue(seen, 'x-api-key');
}
const everyPlaneSends = (server: string, key: string): Promise<void> =>
  vi.waitFor(async () => expect(await Promise.all(releases.map((release) => keySeenThrough(planes[release], server)))).toEqual([key, key]), patience);
const rejectsOf = async ({ internalUrl }: DataPlaneProcess): Promise<string[]> => {
  const { rejects } = (await (await fetch(`${internalUrl}/debug/snapshot`)).json()) as { rejects: Rejects };
  return rejects.map(({ id }) => id);
};
const edit = async (by: Release, server: string, change: object): Promise<void> => {
  const { status, body } = await admins[by].patch(`/v1/workspaces/default/servers/${server}`, change, { 'if-match': '*' });
  expect([by, status, body]).toEqual([by, 200, expect.anything()]);
};

// Where there is no history, such as in an archive of the source, there is no release before this one.
describe.runIf(former !== undefined)(`an upgrade from ${former?.slice(0, 12)}, on the schema of this release`, () => {
  beforeAll(async () => {
    build = await buildFormer(former ?? '');
    upstream = await startRecordingUpstream();
    // Migrated by this release.
    shape = await startProductionShape();
    const ofBuild = { former: build.executable, this: undefined };
    for (const release of releases) {
      ({ admin: admins[release] } = await shape.startControlPlane({}, ofBuild[release]));
      planes[release] = await shape.startDataPlane(release, {}, ofBuild[release]);
    }
  }, 300_000);
  afterAll(async () => {
    await shape?.close();
    await upstream?.close();
    await build?.close();
  });

  it.each(releases)('what a control plane of the %s release writes, data planes of both serve', async (release) => {
    const document = { name: `by-${release}`, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'key-1' } };
    const { status, body } = await admins[release].post<{ id: string }>('/v1/workspaces/default/servers', document);
    expect([status, body]).toEqual([201, expect.anything()]);
    created.set(release, body.id);
    await everyPlaneSends(`by-${release}`, 'key-1');
    for (const by of releases) {
      await edit(by, `by-${release}`, { appAuth: { value: `key of ${by}` } });
      await everyPlaneSends(`by-${release}`, `key of ${by}`);
    }
    for (const plane of Object.values(planes)) expect(await rejectsOf(plane)).toEqual([]);
  });

  it('a document with a field of this release is served by its data plane; the former one’s keeps the version before, and both serve all others', async () => {
    await edit('this', 'by-this', { appAuth: { value: 'key-with-limits' }, limits: { concurrentCalls: { server: 50 } } });
    await vi.waitFor(async () => expect(await keySeenThrough(planes.this, 'by-this')).toBe('key-with-limits'), patience);
    // A release that knows it already takes it.
    await vi.waitFor(async () => {
      const isRejected = (await rejectsOf(planes.former)).includes(created.get('this') ?? '');
      expect(await keySeenThrough(planes.former, 'by-this')).toBe(isRejected ? 'key of this' : 'key-with-limits');
    }, patience);
    await edit('former', 'by-former', { appAuth: { value: 'key-2' } });
    await everyPlaneSends('by-former', 'key-2');
    expect(await rejectsOf(planes.this)).toEqual([]);
  });

  it('back: a data plane of the former release begins with what this one left on its disk', async () => {
    await edit('this', 'by-this', { limits: null });
    await everyPlaneSends('by-this', 'key-with-limits');
    await vi.waitFor(async () => {
      const { revision, revisionOnDisk } = (await (await fetch(`${planes.this.internalUrl}/debug/snapshot`)).json()) as { revision: number; revisionOnDisk: number };
      expect(revisionOnDisk).toBe(revision);
    }, patience);
    await planes.this.stop();
    // Nothing but the disk has it.
    await shape.redis.kill9();
    planes.this = await shape.startDataPlane('this', {}, build.executable);
    expect(await keySeenThrough(planes.this, 'by-this')).toBe('key-with-limits');
    expect(await keySeenThrough(planes.this, 'by-former')).toBe('key-2');
  });
});
