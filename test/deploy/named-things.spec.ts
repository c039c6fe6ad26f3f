import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errorCodes } from '@gatehouse/errors';
import { readSettings } from '@gatehouse/service-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { documentedMetrics } from '../support/documented-metrics.ts';
import { type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { deployTools } from './deploy-tools.ts';
import { type Container, find, type Manifest, podOf, podsOf, renderChart, renderOverlay } from './manifests.ts';
import { environmentOf, type Role, settingsOf } from './settings-of.ts';

const planes = ['control-plane', 'data-plane'] as const;
type Plane = (typeof planes)[number];

let shape: ProductionShape;
const internalUrls = {} as Record<Plane, string>;
const metrics = {} as Record<Plane, Set<string>>;
const rendered = new Map<string, Manifest[]>();
const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

beforeAll(async () => {
  const tools = await deployTools();
  rendered.set('dev', await renderOverlay(tools, 'dev')).set('prod', await renderOverlay(tools, 'prod')).set('chart', (await renderChart(tools, {})).manifests);
  shape = await startProductionShape();
  internalUrls['control-plane'] = (await shape.startControlPlane()).internalUrl;
  internalUrls['data-plane'] = (await shape.startDataPlane('named')).internalUrl;
  for (const plane of planes) metrics[plane] = namesIn(await (await fetch(new URL('/metrics', internalUrls[plane]))).text());
}, 240_000);
afterAll(() => shape?.close());

/** Of every series that a plane has or may have. */
function namesIn(text: string): Set<string> {
  const names = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) => (type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]));
  return new Set(names);
}

const rolePods = (): { where: string; role: Role; container: Container; grace: number }[] =>
  [...rendered].flatMap(([where, manifests]) =>
    podsOf(manifests).flatMap(({ pod }) => pod.containers.flatMap((container) => {
      const [role] = container.args ?? [];
      return role !== undefined && role in settingsOf ? [{ where, role: role as Role, container, grace: pod.terminationGracePeriodSeconds ?? 30 }] : [];
    })));

/** What the kubelet would make of it: fields of the pod, and `$(NAME)` of what stands before. */
function variablesOf({ env = [] }: Container): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { name, value } of env) variables[name] = value?.replaceAll(/\$\((\w+)\)/g, (_, other: string) => variables[other] ?? `no ${other}`) ?? '10.1.2.3';
  return variables;
}

describe('Kubernetes', () => {
  it('every setting is one of the role’s, with a value that it takes, and none is missing', () => {
    expect(rolePods()).toHaveLength(9);
    for (const { where, role, container } of rolePods()) {
      const environment = environmentOf(role, variablesOf(container));
      expect(() => readSettings(settingsOf[role], environment), `${where} ${role}`).not.toThrow();
      expect(JSON.stringify(environment), `${where} ${role}`).not.toContain('no ');
    }
  });

  it('every port is the one that the plane listens on', () => {
    for (const { role, container: { ports = [] } } of rolePods()) {
      if (role === 'migrate') continue;
      const prefix = role.toUpperCase().replace('-', '_');
      const portOf = (setting: string): unknown => settingsOf[role][setting]?.schema.parse(undefined);
      expect(ports.map(({ name, containerPort }) => [name, containerPort])).toEqual([['http', portOf(`${prefix}_PORT`)], ['internal', portOf(`${prefix}_INTERNAL_PORT`)]]);
    }
  });

  it('every probe asks what answers', async () => {
    for (const { role, container: { startupProbe, livenessProbe, readinessProbe } } of rolePods()) {
      if (role === 'migrate') continue;
      for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
        expect(probe?.httpGet?.port).toBe('internal');
        await expect.poll(async () => (await fetch(new URL(probe?.httpGet?.path ?? '', internalUrls[role]))).status).toBe(200);
      }
    }
  });

  it('every pod has the time that it drains for, and the ingress the time to see that it goes', () => {
    for (const { role, container, grace } of rolePods()) {
      if (role === 'migrate') continue;
      const preStop = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const drainMs = role === 'data-plane' ? readSettings(settingsOf[role], environmentOf(role, variablesOf(container)))['DRAIN_TIMEOUT_MS'] as number : 25_000;
      expect(preStop).toBeGreaterThanOrEqual(5);
      expect(grace).toBeGreaterThanOrEqual(preStop + drainMs / 1000 + 10);
    }
  });

  it('every Service leads to ports of pods that there are, and every route to a Service', () => {
    for (const [where, manifests] of rendered) {
      for (const { kind, metadata, spec } of manifests) {
        if (kind !== 'Service') continue;
        const { selector, ports } = spec as { selector: Record<string, string>; ports: { targetPort: string }[] };
        const owner = manifests.find((manifest) => manifest.metadata.name === selector['app.kubernetes.io/name'] && podOf(manifest));
        const names = owner && podOf(owner)?.containers.flatMap((container) => container.ports?.map(({ name }) => name) ?? []);
        for (const { targetPort } of ports) expect(names, `${where} ${metadata.name}`).toContain(targetPort);
      }
      const { spec } = find(manifests, 'Ingress', 'gatehouse') as { spec: { rules: { http: { paths: { path: string; backend: { service: { name: string; port: { name: string } } } }[] } }[] } };
      for (const { backend: { service } } of spec.rules.flatMap(({ http }) => http.paths)) {
        expect((find(manifests, 'Service', service.name).spec as { ports: { name: string }[] }).ports.map(({ name }) => name)).toContain(service.port.name);
      }
    }
  });

  it('the data plane’s folder for snapshots is a mounted one', async () => {
    const folder = /GATEHOUSE_SNAPSHOT_DIR=(\S+)/.exec(await readFile(root('Dockerfile'), 'utf8'))?.[1] ?? '';
    for (const { role, container } of rolePods()) {
      if (role === 'data-plane') expect(container.volumeMounts?.some(({ mountPath }) => folder.startsWith(`${mountPath}/`))).toBe(true);
    }
  });
});

/** Every name in an expression that no function or label has: ours, Node's, the process's, Prometheus' own. */
const metricNames = (expression: string): string[] => expression.match(/\b(?:gatehouse|nodejs|process)_\w+/g) ?? [];
const outcomesIn = (expression: string): string[] => [...expression.matchAll(/gatehouse_requests_total\{[^}]*outcome(?:=~?|!=)"([^"]+)"/g)].flatMap(([, codes = '']) => codes.split('|'));

describe('observation', () => {
  const expressionsOf = async (): Promise<Map<string, string>> => {
    const { spec } = parse(await readFile(root('k8s/observability/alerts.yaml'), 'utf8')) as { spec: { groups: { rules: { alert: string; expr: string }[] }[] } };
    const { panels } = JSON.parse(await readFile(root('k8s/observability/dashboard.json'), 'utf8')) as { panels: { title: string; targets?: { expr: string }[] }[] };
    const alerts = spec.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const));
    const shown = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }, index) => [`${title} ${index}`, expr] as const));
    return new Map([...alerts, ...shown]);
  };

  it('every metric that an alert or a panel names is one of a plane, of the plane it is asked of', async () => {
    const expressions = await expressionsOf();
    expect(expressions.size).toBeGreaterThan(40);
    for (const [title, expression] of expressions) {
      const asked = /job="gatehouse-(control-plane|data-plane)"/.exec(expression)?.[1] as Plane | undefined;
      const known = asked === undefined ? new Set([...metrics['control-plane'], ...metrics['data-plane']]) : metrics[asked];
      const isProcess = /\b(nodejs|process)_/.test(expression);
      expect(!isProcess || asked !== undefined, title).toBe(true);
      for (const name of metricNames(expression)) expect(known.has(name), `${title}: ${name}`).toBe(true);
    }
  });

  it('every label that is asked for is one that the metric has, or that Prometheus gives', async () => {
    const documented = new Map([...(await documentedMetrics('Control plane')), ...(await documentedMetrics('Data plane'))]);
    const labelsOf = (name: string): string[] => documented.get(name.replace(/_(?:bucket|sum|count)$/, ''))?.split(' ').slice(1) ?? [];
    for (const [title, expression] of await expressionsOf()) {
      for (const [, name = '', selector = ''] of expression.matchAll(/\b((?:gatehouse|nodejs|process)_\w+)\{([^}]*)\}/g)) {
        for (const [, label = ''] of selector.matchAll(/(\w+)(?:=~?|!=|!~)"/g)) expect([...labelsOf(name), 'job', 'pod'], `${title}: ${name}`).toContain(label);
      }
      const known = new Set(metricNames(expression).flatMap(labelsOf));
      for (const [, by = ''] of expression.matchAll(/\bby \(([^)]*)\)/g)) for (const label of by.split(', ')) expect([...known, 'le', 'pod', 'job'], title).toContain(label);
    }
  });

  it('every outcome that is asked for is one that a call can have', async () => {
    for (const [title, expression] of await expressionsOf()) for (const outcome of outcomesIn(expression)) expect([...Object.keys(errorCodes), 'ok'], title).toContain(outcome);
  });

  it('every alert has its runbook, and there is none without an alert', async () => {
    const text = await readFile(root('docs/operations.md'), 'utf8');
    const alerts = [...(await expressionsOf()).keys()].filter((title) => /^Gatehouse\w+$/.test(title));
    expect([...text.matchAll(/^### (Gatehouse\w+)$/gm)].map(([, name]) => name).sort()).toEqual(alerts.sort());
  });

  it('ServiceMonitors find the internal Services, at the path of the metrics', () => {
    for (const where of ['prod', 'chart']) {
      const manifests = rendered.get(where) ?? [];
      for (const plane of planes) {
        const { spec } = find(manifests, 'ServiceMonitor', `gatehouse-${plane}`) as { spec: { selector: { matchLabels: Record<string, string> }; jobLabel: string; endpoints: { port: string; path: string }[] } };
        const services = manifests.filter(({ kind, metadata }) => kind === 'Service' && Object.entries(spec.selector.matchLabels).every(([key, value]) => metadata.labels?.[key] === value));
        expect(services.map(({ metadata }) => metadata.name)).toEqual([`gatehouse-${plane}-internal`]);
        expect(spec.endpoints.map(({ port, path }) => [port, path])).toEqual([['internal', '/metrics']]);
        // What expressions call the job.
        expect(services[0]?.metadata.labels?.[spec.jobLabel]).toBe(`gatehouse-${plane}`);
      }
    }
  });
});
