import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type DeployTools, deployTools } from './deploy-tools.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let tools: DeployTools;
let folder: string;
let rules: { alert: string; expr: string }[];

beforeAll(async () => {
  tools = await deployTools();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-alerts-'));
  // What the operator would hand to Prometheus.
  const { spec } = parse(await readFile(root('k8s/observability/alerts.yaml'), 'utf8')) as { spec: { groups: { rules: { alert: string; expr: string }[] }[] } };
  rules = spec.groups.flatMap((group) => group.rules);
  await writeFile(join(folder, 'rules.yaml'), stringify(spec));
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

it('Prometheus takes the rules', async () => {
  const { exitCode, stdout, stderr } = await tools.promtool(['check', 'rules', join(folder, 'rules.yaml')]);
  expect({ exitCode, stderr, stdout }).toEqual({ exitCode: 0, stderr: '', stdout: expect.stringContaining(`SUCCESS: ${rules.length} rules found`) as string });
});

it('Prometheus takes what the dashboard asks', async () => {
  const { panels } = JSON.parse(await readFile(root('k8s/observability/dashboard.json'), 'utf8')) as { panels: { targets?: { expr: string }[] }[] };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')));
  const file = join(folder, 'panels.yaml');
  await writeFile(file, stringify({ groups: [{ name: 'panels', rules: expressions.map((expr, index) => ({ record: `panel:${index}`, expr })) }] }));
  const { exitCode, stdout, stderr } = await tools.promtool(['check', 'rules', '--lint=none', file]);
  expect({ exitCode, stderr, stdout }).toEqual({ exitCode: 0, stderr: '', stdout: expect.stringContaining(`SUCCESS: ${expressions.length} rules found`) as string });
});

interface Case {
  readonly alert: string;
  /** What fires it, a value for each minute. */
  readonly bad: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** What looks like it and is well. */
  readonly good: Readonly<Record<string, string>>;
  /** When it is asked about: after every pause of the rule. */
  readonly at?: string;
}

const [dataPlane, controlPlane] = ['job="gatehouse-data-plane"', 'job="gatehouse-control-plane"'];
const call = (outcome: string): string => `gatehouse_requests_total{workspace="default", server="orders", outcome="${outcome}"}`;
/** @param upTo10s of 100 calls a minute */
const durations = (upTo10s: string): Record<string, string> => {
  const bucket = (le: string): string => `gatehouse_request_duration_seconds_bucket{workspace="default", server="orders", le="${le}"}`;
  return { [bucket('10')]: upTo10s, [bucket('30')]: '0+100x60', [bucket('+Inf')]: '0+100x60' };
};
/** @param upTo5s of 60 changes a minute */
const lags = (upTo5s: string): Record<string, string> => {
  const bucket = (le: string): string => `gatehouse_control_plane_snapshot_publication_lag_seconds_bucket{le="${le}"}`;
  return { [bucket('5')]: upTo5s, [bucket('10')]: '0+60x60', [bucket('+Inf')]: '0+60x60' };
};
const orders = { workspace: 'default', server: 'orders' };
const still = '0+0x60';
const steady = '0+60x60';

/** A row for each alert: what it is for, and what it must not take for that. */
const cases: readonly Case[] = [
  { alert: 'GatehouseDataPlanesDown', bad: { [`up{${dataPlane}, pod="a"}`]: '0x60' }, good: { [`up{${dataPlane}, pod="a"}`]: '0x60', [`up{${dataPlane}, pod="b"}`]: '1x60' } },
  { alert: 'GatehouseControlPlanesDown', bad: { [`up{${dataPlane}}`]: '1x60' }, good: { [`up{${controlPlane}}`]: '1x60' } },
  { alert: 'GatehouseInternalErrors', bad: { [call('internal')]: '0+1x60' }, good: { [call('internal')]: still, [call('ok')]: steady } },
  { alert: 'GatehouseNotReady', bad: { [call('broker_unavailable')]: '0+1x60' }, good: { [call('connect_required')]: steady } },
  { alert: 'GatehouseUpstreamErrors', bad: { [call('ok')]: '0+90x60', [call('upstream_timeout')]: '0+10x60' }, labels: orders, good: { [call('ok')]: '0+99x60', [call('upstream_timeout')]: '0+1x60' } },
  { alert: 'GatehouseCredentialsRefused', bad: { [call('upstream_rejected_credentials')]: '0+1x60' }, labels: orders, good: { [call('credential_missing')]: steady } },
  {
    alert: 'GatehouseDependenciesFail',
    bad: { 'gatehouse_dependency_request_duration_seconds_count{dependency="broker", outcome="ok"}': '0+10x60', 'gatehouse_dependency_request_duration_seconds_count{dependency="broker", outcome="failed"}': '0+5x60' },
    labels: { dependency: 'broker' },
    good: { 'gatehouse_dependency_request_duration_seconds_count{dependency="provider", outcome="ok"}': '0+10x60', 'gatehouse_dependency_request_duration_seconds_count{dependency="provider", outcome="refused"}': '0+5x60' },
  },
  { alert: 'GatehouseSlowAnswers', bad: durations('0+10x60'), labels: orders, good: durations('0+99x60') },
  { alert: 'GatehouseDataPlaneSlow', bad: { [`nodejs_eventloop_lag_p99_seconds{${dataPlane}, pod="a"}`]: '0.3x60' }, labels: { pod: 'a' }, good: { [`nodejs_eventloop_lag_p99_seconds{${dataPlane}, pod="a"}`]: '0.02x60' } },
  {
    alert: 'GatehouseDataPlaneFull',
    bad: { [`process_open_fds{${dataPlane}, pod="a"}`]: '900x60', [`process_max_fds{${dataPlane}, pod="a"}`]: '1024x60' },
    labels: { pod: 'a' },
    good: {
      [`process_open_fds{${dataPlane}, pod="a"}`]: '100x60', [`process_max_fds{${dataPlane}, pod="a"}`]: '1024x60',
      [`nodejs_heap_size_used_bytes{${dataPlane}, pod="a"}`]: '500x60', [`nodejs_heap_size_limit_bytes{${dataPlane}, pod="a"}`]: '1000x60',
    },
  },
  { alert: 'GatehouseRestarts', bad: { [`process_start_time_seconds{${dataPlane}, pod="a"}`]: '0+60x60' }, labels: { pod: 'a' }, good: { [`process_start_time_seconds{${dataPlane}, pod="a"}`]: '1x40 2x20' } },
  { alert: 'GatehouseCallsWait', bad: { 'gatehouse_upstream_requests{pod="a", pool="calls", state="waiting"}': '3x60' }, labels: { pod: 'a' }, good: { 'gatehouse_upstream_requests{pod="a", pool="calls", state="running"}': '256x60', 'gatehouse_upstream_requests{pod="a", pool="calls", state="waiting"}': '0x53 9 9 0x5' } },
  { alert: 'GatehouseCircuitsOpen', bad: { gatehouse_open_circuits: '1x60' }, good: { gatehouse_open_circuits: '0x29 1 1 0x29' } },
  { alert: 'GatehouseChannelAway', bad: { 'gatehouse_channel_degraded{pod="a"}': '1x60' }, labels: { pod: 'a' }, good: { 'gatehouse_channel_degraded{pod="a"}': '0x60' } },
  { alert: 'GatehouseSharedLimitsAlone', bad: { gatehouse_shared_limits_alone_total: '0+1x60' }, good: { gatehouse_shared_limits_alone_total: '7x60' } },
  {
    alert: 'GatehouseSnapshotsDrift',
    bad: { gatehouse_control_plane_snapshot_published_revision: '7x60', 'gatehouse_snapshot_revision{pod="a"}': '7x60', 'gatehouse_snapshot_revision{pod="b"}': '6x60' },
    good: { gatehouse_control_plane_snapshot_published_revision: '7x60', 'gatehouse_snapshot_revision{pod="a"}': '7x60' },
  },
  { alert: 'GatehouseDocumentsRejected', bad: { 'gatehouse_snapshot_rejected_documents{pod="a"}': '1x60' }, good: { 'gatehouse_snapshot_rejected_documents{pod="a"}': '0x60' } },
  { alert: 'GatehouseSnapshotDiskFails', bad: { 'gatehouse_snapshot_disk_failures{pod="a"}': '0x40 1x20' }, labels: { pod: 'a' }, good: { 'gatehouse_snapshot_disk_failures{pod="a"}': '3x60' } },
  { alert: 'GatehousePublicationsFail', bad: { 'gatehouse_control_plane_snapshot_publications_total{outcome="failed"}': '0+1x60' }, good: { 'gatehouse_control_plane_snapshot_publications_total{outcome="replaced"}': steady } },
  { alert: 'GatehousePublicationsSlow', bad: lags('0+10x60'), good: lags('0+60x60') },
  { alert: 'GatehouseDatabasePoolExhausted', bad: { 'gatehouse_control_plane_database_waiting{pod="a"}': '4x60' }, labels: { pod: 'a' }, good: { 'gatehouse_control_plane_database_waiting{pod="a"}': '0x50 9 0x9' } },
  {
    alert: 'GatehouseApiErrors',
    bad: { 'gatehouse_control_plane_http_request_duration_seconds_count{status="503"}': '0+10x60', 'gatehouse_control_plane_http_request_duration_seconds_count{status="200"}': '0+50x60' },
    good: { 'gatehouse_control_plane_http_request_duration_seconds_count{status="422"}': '0+10x60', 'gatehouse_control_plane_http_request_duration_seconds_count{status="200"}': '0+50x60' },
  },
  { alert: 'GatehouseLostRotations', bad: { gatehouse_lost_rotations_total: '0x40 1x20' }, good: { gatehouse_lost_rotations_total: '5x60' } },
  {
    alert: 'GatehouseRefreshesFail',
    bad: { 'gatehouse_control_plane_token_refreshes_total{outcome="renewed"}': '0+6x60', 'gatehouse_control_plane_token_refreshes_total{outcome="unavailable"}': '0+4x60' },
    good: { 'gatehouse_control_plane_token_refreshes_total{outcome="renewed"}': '0+9x60', 'gatehouse_control_plane_token_refreshes_total{outcome="refused"}': '0+1x60' },
  },
  { alert: 'GatehouseRevocationsFail', bad: { 'gatehouse_control_plane_provider_revocations_total{outcome="failed"}': '0+1x240' }, good: { 'gatehouse_control_plane_provider_revocations_total{outcome="failed"}': '0x100 2x140' }, at: '200m' },
  { alert: 'GatehouseFailedLogins', bad: { 'gatehouse_control_plane_failed_logins_total{reason="wrong_password"}': '0+120x60' }, good: { 'gatehouse_control_plane_failed_logins_total{reason="wrong_password"}': '0+10x60' } },
  { alert: 'GatehouseVaultRotationDue', bad: { gatehouse_control_plane_vault_rotations_due: '1x240' }, good: { gatehouse_control_plane_vault_rotations_due: '0x240' }, at: '200m' },
  { alert: 'GatehouseVaultValuesUnreadable', bad: { gatehouse_control_plane_vault_unreadable_values: '2x60' }, good: { gatehouse_control_plane_vault_unreadable_values: '0x60' } },
  { alert: 'GatehouseAuditChainBroken', bad: { 'gatehouse_control_plane_audit_verified_timestamp_seconds{intact="false"}': '1800000000x60' }, good: { 'gatehouse_control_plane_audit_verified_timestamp_seconds{intact="true"}': '1800000000x60' } },
  { alert: 'GatehouseOpenServers', bad: { 'gatehouse_open_servers{credential="stored"}': '1x60' }, good: { 'gatehouse_open_servers{credential="none"}': '4x60', 'gatehouse_open_servers{credential="stored"}': '0x60' } },
  { alert: 'GatehouseControlPlaneSlow', bad: { [`nodejs_eventloop_lag_p99_seconds{${controlPlane}, pod="a"}`]: '0.5x60' }, labels: { pod: 'a' }, good: { [`nodejs_eventloop_lag_p99_seconds{${controlPlane}, pod="a"}`]: '0.02x60' } },
  {
    alert: 'GatehouseCallEventsLost',
    bad: { 'gatehouse_call_events_dropped_total{reason="stream_full"}': '0x50 9x10' },
    good: { 'gatehouse_call_events_dropped_total{reason="stream_full"}': '9x60', 'gatehouse_control_plane_call_events_total{outcome="duplicate"}': steady },
  },
  { alert: 'GatehouseCallEventsLate', bad: { gatehouse_control_plane_call_events_lag_seconds: '600x60' }, good: { gatehouse_control_plane_call_events_lag_seconds: '2x60' } },
];

it('has a case for every alert', () => {
  expect(cases.map(({ alert }) => alert)).toEqual(rules.map(({ alert }) => alert));
});

it('every alert fires when it should, and not for what is well', async () => {
  const test = (alert: string, at: string, series: Readonly<Record<string, string>>, fires: readonly object[]): object => ({
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts: fires }],
  });
  // Each with its own rule alone: promtool evaluates every rule of a file at every minute of every test.
  const files = await Promise.all(cases.map(async ({ alert, bad, good, labels = {}, at = '55m' }) => {
    const { severity, summary } = worded(alert, labels);
    const tests = [test(alert, at, bad, [{ exp_labels: { severity, ...labels }, exp_annotations: { summary } }]), test(alert, at, good, [])];
    const [ruleFile, testFile] = [join(folder, `${alert}.rules.yaml`), join(folder, `${alert}.tests.yaml`)];
    await writeFile(ruleFile, stringify({ groups: [{ name: alert, rules: rules.filter((rule) => rule.alert === alert) }] }));
    await writeFile(testFile, stringify({ rule_files: [ruleFile], evaluation_interval: '1m', tests }, { aliasDuplicateObjects: false }));
    return testFile;
  }));
  expect(await tools.promtool(['test', 'rules', ...files])).toMatchObject({ exitCode: 0, stderr: '' });
});

function worded(alert: string, labels: Readonly<Record<string, string>>): { severity: string; summary: string } {
  const rule = rules.find((candidate) => candidate.alert === alert) as { labels: { severity: string }; annotations: { summary: string } } | undefined;
  const summary = rule?.annotations.summary.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '') ?? '';
  return { severity: rule?.labels.severity ?? '', summary };
}
