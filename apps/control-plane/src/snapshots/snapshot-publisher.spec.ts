import { openDocument, type ReadableServer, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { createMemoryChannel, type Publication, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { beforeEach, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane, type TestControlPlane, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1' });
const servers = '/v1/workspaces/default/servers';

/** A channel in process that remembers what was published, and whose publications can be made to fail. */
function observedChannel(): SnapshotChannel & { publications: Publication[]; before: (publication: Publication) => Promise<void> } {
  const inner = createMemoryChannel();
  const observed = {
    ...inner,
    publications: [] as Publication[],
    before: (_publication: Publication): Promise<void> => Promise.resolve(),
    publish: async (publication: Publication) => {
      await observed.before(publication);
      const state = await inner.publish(publication);
      if (state) observed.publications.push(publication);
      return state;
    },
  };
  return observed;
}

const create = async (plane: TestControlPlane, name: string) => (await plane.send<ReadableServer>('POST', servers, { body: sampleServer(name) })).body;
const change = async (plane: TestControlPlane, name: string) =>
  (await plane.send<ReadableServer>('PATCH', `${servers}/${name}`, { body: { title: `at ${Math.random()}` }, headers: { 'If-Match': '*' } })).body;
const caughtUp = (plane: TestControlPlane, revision: number) => until(async () => (await plane.channel.readState())?.revision === revision);

let created = 0;
beforeEach(() => {
  created += 1;
});

test('an edit publishes what it changed and nothing else', async () => {
  const channel = observedChannel();
  await create(fixture.plane, 'edited');
  await create(fixture.plane, 'untouched');
  const plane = await startTestControlPlane({ environment: fixture.plane.environment, channel });
  const edited = await change(plane, 'edited');
  await caughtUp(plane, edited.revision);
  const last = channel.publications.at(-1);
  expect([last?.mode, last?.documents.map(({ id }) => id), last?.removed]).toEqual(['change', [edited.id], []]);

  const gone = await create(plane, 'gone');
  await plane.send('DELETE', `${servers}/gone`, { headers: { 'If-Match': '*' } });
  await caughtUp(plane, gone.revision + 1);
  expect((await channel.readIndex())?.index.has(gone.id)).toBe(false);
  await plane.close();
});

test('an empty channel gets everything, at start and while running', async () => {
  const empty = observedChannel();
  const plane = await startTestControlPlane({ environment: fixture.plane.environment, channel: empty });
  await until(async () => (await empty.readState()) !== undefined);
  const [count] = await fixture.query<{ count: string }>('select (select count(*) from servers) + (select count(*) from workspaces) as count');
  // And the header policy, the authorization server, the revocations and the keys that sign identities, which are there whatever is stored.
  expect((await empty.readIndex())?.index.size).toBe(Number(count?.count) + 4);
  expect(empty.publications.map(({ mode }) => mode)).toEqual(['replace']);
  await plane.close();
});

test('what another process left unpublished is published at start, and what is there already is not sent again', async () => {
  const channel = observedChannel();
  const first = await startTestControlPlane({ environment: fixture.plane.environment, channel });
  const { revision } = await create(first, `left-${created}`);
  await caughtUp(first, revision);
  await first.close();

  const missed = await change(fixture.plane, `left-${created}`);
  const published = channel.publications.length;
  const second = await startTestControlPlane({ environment: fixture.plane.environment, channel });
  await caughtUp(second, missed.revision);
  expect(channel.publications.slice(published).flatMap(({ documents }) => documents.map(({ id }) => id))).toEqual([missed.id]);
  await second.close();
});

test('a database restored to an older backup replaces everything: nothing newer survives', async () => {
  const { plane } = fixture;
  const kept = await create(plane, 'kept');
  await caughtUp(plane, kept.revision);
  const resurrected = await create(plane, 'newer');
  await caughtUp(plane, resurrected.revision);
  // As a restore to just before the newer server leaves it.
  await fixture.query(`delete from secrets where owner_id = '${resurrected.id}'`);
  await fixture.query(`delete from servers where id = '${resurrected.id}'`);
  await fixture.query(`delete from revisions where revision > ${kept.revision}`);
  await fixture.query(`update revision_counter set revision = ${kept.revision}`);
  await caughtUp(plane, kept.revision);
  const held = await plane.channel.readIndex();
  expect([held?.index.has(kept.id), held?.index.has(resurrected.id)]).toEqual([true, false]);
});

test('a restored database whose revisions have caught up again replaces everything too', async () => {
  const { plane } = fixture;
  const resurrected = await create(plane, 'from-another-history');
  await caughtUp(plane, resurrected.revision);
  // Restored, and edited once, between two polls: the same revision, of another change.
  await fixture.query(`delete from secrets where owner_id = '${resurrected.id}'; delete from servers where id = '${resurrected.id}'`);
  await fixture.query(`update revisions set at = now(), changed = '[]' where revision = ${resurrected.revision}`);
  await until(async () => !(await plane.channel.readIndex())?.index.has(resurrected.id));
});

test('a race lost to another publisher is run again from what is there then', async () => {
  const channel = observedChannel();
  const plane = await startTestControlPlane({ environment: fixture.plane.environment, channel });
  await until(async () => (await channel.readState()) !== undefined);
  let intruded = false;
  channel.before = async ({ revision }) => {
    if (intruded) return;
    intruded = true;
    const expected = await channel.readState();
    await channel.publish({ expected, revision: revision - 1, mode: 'change', documents: [], removed: [] });
  };
  const edited = await create(plane, 'raced');
  await caughtUp(plane, edited.revision);
  expect(intruded).toBe(true);
  expect((await channel.readIndex())?.index.has(edited.id)).toBe(true);
  await plane.close();
});

test('a channel that fails is tried again, and the edits made meanwhile arrive', async () => {
  const channel = observedChannel();
  const plane = await startTestControlPlane({ environment: fixture.plane.environment, channel });
  await until(async () => (await channel.readState()) !== undefined);
  let failures = 2;
  channel.before = () => (failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve());
  const edited = await create(plane, 'patient');
  expect(edited.name).toBe('patient');
  await caughtUp(plane, edited.revision);
  expect(failures).toBeLessThan(0);
  await plane.close();
});

test('a secret that does not open keeps its document as it was, and only that one', async () => {
  const { plane } = fixture;
  const broken = await create(plane, 'broken');
  await caughtUp(plane, broken.revision);
  const before = (await plane.channel.readIndex())?.index.get(broken.id);
  await fixture.query(`update secrets set sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20)) where owner_id = '${broken.id}'`);
  await change(plane, 'broken');
  const other = await create(plane, 'unharmed');
  await caughtUp(plane, other.revision);
  const { index } = (await plane.channel.readIndex()) ?? { index: new Map<string, string>() };
  expect([index.get(broken.id), index.has(other.id)]).toEqual([before, true]);
});

test('a secret, or a whole data key, that does not open keeps its documents in an index that is made anew', async () => {
  const { plane } = fixture;
  const broken = await create(plane, 'broken-too');
  await fixture.query(`update secrets set sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20)) where owner_id = '${broken.id}'`);
  await plane.send('POST', '/v1/workspaces', { body: { name: 'keyless' } });
  const { body: keyless } = await plane.send<ReadableServer>('POST', '/v1/workspaces/keyless/servers', { body: sampleServer('keyless') });
  const other = await create(plane, 'whole');
  const spoilKey = `update data_keys set wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) where workspace_id = (select id from workspaces where name = 'keyless')`;
  await fixture.query(spoilKey);

  const keys = snapshotKeysOf([parseKey(plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  const channel = observedChannel();
  const fresh = await startTestControlPlane({ environment: fixture.plane.environment, channel });
  const kindOf = async ({ id }: ReadableServer): Promise<unknown> => {
    const [document] = await channel.readDocuments([id]);
    return document && (openDocument(keys, document) as { kind: string }).kind;
  };
  await until(async () => (await channel.readState()) !== undefined);
  expect(await Promise.all([broken, keyless, other].map(kindOf))).toEqual(['unreadable', 'unreadable', 'server']);

  // Repaired, without a revision that would say so. The poll of these specs is a second.
  await fixture.query(spoilKey);
  await until(async () => (await kindOf(keyless)) === 'server', 20_000);
  expect(await kindOf(broken)).toBe('unreadable');
  await fresh.close();
}, 40_000);

test('a channel that is not whole gets everything again, although its state is the newest', async () => {
  const channel = observedChannel();
  const plane = await startTestControlPlane({ environment: fixture.plane.environment, channel });
  const { revision } = await create(plane, 'lost-from-the-channel');
  await caughtUp(plane, revision);
  const published = channel.publications.length;
  channel.isWhole = () => Promise.resolve(channel.publications.length > published);
  await until(() => channel.publications.length > published);
  expect(channel.publications.at(-1)).toMatchObject({ mode: 'replace', revision });
  await plane.close();
});

test('a disabled server is published too, so that data planes can say that it is', async () => {
  const { plane } = fixture;
  const { body } = await plane.send<ReadableServer>('POST', servers, { body: sampleServer('disabled', { enabled: false }) });
  await caughtUp(plane, body.revision);
  const [document] = await plane.channel.readDocuments([body.id]);
  const keys = snapshotKeysOf([parseKey(plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  expect(document && openDocument(keys, document)).toMatchObject({ server: { enabled: false } });
});
