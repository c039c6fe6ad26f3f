import { expect } from 'vitest';
import { described, type LoadedPlanes } from '../loaded-planes.ts';
import { runSql } from '../postgres.ts';

export interface RejectReport {
  /** Until the other edit of the same time was served by both. */
  readonly othersMs: number;
  /** Until the document that was made good again was. */
  readonly repairedMs: number;
}

interface ReportedPlane {
  readonly rejects: readonly { readonly id: string }[];
}

/** As a control plane of a later release might write it: it takes what data planes of this one do not know. */
export const breakServer = `
  with counter as (update revision_counter set revision = revision + 1 where id = 1 returning revision),
       server as (update servers set document = jsonb_set(document, '{upstream,transport}', '"carrier-pigeon"') where name = $1 returning id),
       known as (insert into revisions (revision, changed) select revision, jsonb_build_array(id) from counter, server)
  select id, revision::int from counter, server`;

/** Fault 12, under load: data planes cannot use the newest version of a server; everything else goes on, and it is said. */
export async function rejectDocument(planes: LoadedPlanes, restart: boolean): Promise<RejectReport> {
  const beganAt = Date.now();
  const keyOf = (server: string): (string | undefined)[] => planes.dataPlanes.map((_plane, index) => planes.load.last(server, index)?.outcome);
  await expect.poll(() => keyOf('orders').every((key) => key?.startsWith('key-')), { timeout: 20_000 }).toBe(true);
  const before = keyOf('orders');
  const [broken] = await runSql<{ id: string; revision: number }>(planes.shape.databaseUrl, breakServer, ['orders']);
  const id = broken?.id ?? '';

  // The others are updated.
  const revision = await planes.edit('invoices', { appAuth: { value: 'key-beside' } });
  expect(revision).toBeGreaterThan(broken?.revision ?? Infinity);
  const othersMs = await planes.converge(revision, { rejects: 1 });
  await expect.poll(() => keyOf('invoices'), { timeout: 20_000 }).toEqual(['key-beside', 'key-beside']);

  // That one is rejected and reported, by each data plane and at the control plane.
  expect((await planes.snapshots()).map(({ rejects }) => rejects.map((reject) => reject.id))).toEqual([[id], [id]]);
  for (const { internalUrl } of planes.dataPlanes) expect(await (await fetch(`${internalUrl}/metrics`)).text()).toMatch(/^gatehouse_snapshot_rejected_documents 1$/m);
  const reported = async (): Promise<string[][]> => (await planes.admin.get<{ items: ReportedPlane[] }>('/v1/data-planes')).body.items.map(({ rejects }) => rejects.map((reject) => reject.id));
  await expect.poll(reported, { timeout: 20_000 }).toEqual([[id], [id]]);
  const { body } = await planes.admin.get<{ unreadable: { id: string }[] }>('/v1/workspaces/default/servers');
  expect(body.unreadable.map((server) => server.id)).toEqual([id]);

  // The old one is kept, also by a process that has it from its disk only.
  expect(keyOf('orders')).toEqual(before);
  const restartedAt = Date.now();
  if (restart) {
    await expect.poll(async () => (await planes.snapshots())[0]?.revisionOnDisk, { timeout: 20_000 }).toBeGreaterThanOrEqual(revision);
    await planes.dataPlanes[0].kill9();
    await planes.restartDataPlane(0);
    expect(await planes.call(planes.dataPlanes[0], 'orders')).toBe(before[0]);
    await expect.poll(async () => (await planes.snapshots())[0]?.rejects.map((reject) => reject.id), { timeout: 20_000 }).toEqual([id]);
  }

  // Replaced as a whole: there is nothing that could be read and changed.
  const repaired = await planes.replace('orders', 'key-repaired');
  const repairedMs = await planes.converge(repaired);
  await expect.poll(() => keyOf('orders'), { timeout: 20_000 }).toEqual(['key-repaired', 'key-repaired']);
  // While a process is away its callers notice, and nobody else does.
  const failures = planes.failures(beganAt).filter(({ plane, endedAt }) => !restart || plane !== 0 || endedAt < restartedAt);
  expect(described(failures, beganAt)).toEqual([]);
  return { othersMs, repairedMs };
}
