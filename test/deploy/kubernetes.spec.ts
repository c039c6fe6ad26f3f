import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSettings } from '@gatehouse/service-runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/run-command.ts';
import { customResourceProblems } from './custom-resources.ts';
import { type DeployTools, deployTools } from './deploy-tools.ts';
import { find, type Manifest, type NetworkPolicySpec, podOf, podsOf, readManifests, renderChart, renderOverlay, type Volume } from './manifests.ts';
import { environmentOf, settingsOf } from './settings-of.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The oldest that the manifests ask for (preStop's sleep), and the newest there are schemas of. */
const versions = ['1.30', '1.37'];

let tools: DeployTools;
const rendered = new Map<string, Manifest[]>();
let chartMessages: string[];
const all = (): [string, Manifest[]][] => [...rendered];
const of = (name: string): Manifest[] => rendered.get(name) ?? [];

beforeAll(async () => {
  tools = await deployTools();
  const gateway = (text: string): string => text.replace('../../components/ingress', '../../components/gateway-api');
  const [dev, prod, prodWithGateway, chart] = await Promise.all([renderOverlay(tools, 'dev'), renderOverlay(tools, 'prod'), renderOverlay(tools, 'prod', gateway), renderChart(tools, {})]);
  rendered.set('dev', dev).set('prod', prod).set('prod with a Gateway', prodWithGateway).set('chart', chart.manifests);
  chartMessages = chart.messages;
}, 240_000);

describe('schemas', () => {
  it.each(versions)('every manifest is one of Kubernetes %s', async (version) => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-manifests-'));
    const unknown = new Map<string, Manifest>();
    for (const [name, manifests] of all()) {
      for (const manifest of manifests) if ((await customResourceProblems(tools, manifest)) !== undefined) unknown.set(`${manifest.kind} ${manifest.metadata.name}`, manifest);
      const core = manifests.filter(({ kind, metadata }) => !unknown.has(`${kind} ${metadata.name}`));
      expect(core.length).toBeGreaterThan(15);
      await writeFile(join(folder, `${name}.yaml`), core.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
    }
    const files = all().map(([name]) => join(folder, `${name}.yaml`));
    const { exitCode, stdout, stderr } = await tools.python(['-m', 'kubernetes_validate', '--strict', '-k', version, ...files]);
    expect({ exitCode, said: `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !/passed/.test(line)) }).toEqual({ exitCode: 0, said: [] });
    await rm(folder, { recursive: true });
  });

  it('every custom resource is one of its definition', async () => {
    const kinds = new Set<string>();
    for (const [name, manifests] of all()) {
      for (const manifest of manifests) {
        const problems = await customResourceProblems(tools, manifest);
        if (problems === undefined) continue;
        kinds.add(manifest.kind);
        expect(problems, `${name}: ${manifest.kind} ${manifest.metadata.name}`).toEqual([]);
      }
    }
    expect([...kinds].sort()).toEqual(['ExternalSecret', 'HTTPRoute', 'PrometheusRule', 'ServiceMonitor']);
  });

  it('a field that is none is seen', async () => {
    const route = find(of('prod with a Gateway'), 'HTTPRoute', 'gatehouse');
    const wrong = { ...route, spec: { ...(route.spec as object), hostnamse: ['gatehouse.example'] } };
    expect(await customResourceProblems(tools, wrong)).toEqual(['/spec/hostnamse is not a field', '/spec/hostnamse/0 is not a field']);
  });
});

describe('the chart', () => {
  it('is what the overlay for production is, by its own values', () => {
    const comparable = (manifests: Manifest[]): Map<string, unknown> => new Map(manifests.filter(({ kind }) => kind !== 'Namespace').map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, withoutWrapping(manifest)]));
    const [chart, overlay] = [comparable(of('chart')), comparable(of('prod'))];
    expect([...chart.keys()].sort()).toEqual([...overlay.keys()].sort());
    for (const [name, manifest] of overlay) expect(chart.get(name), name).toEqual(manifest);
  });

  it('sends spans as the component for it does', async () => {
    const traced = await renderOverlay(tools, 'prod', (text) => text.replace('  - ../../observability', '  - ../../components/tracing\n  - ../../observability'));
    const { manifests } = await renderChart(tools, { tracing: { enabled: true } });
    for (const [kind, name] of [['NetworkPolicy', 'collector'], ['Deployment', 'gatehouse-control-plane'], ['Deployment', 'gatehouse-data-plane']] as const) {
      expect(withoutWrapping(find(manifests, kind, name)), name).toEqual(withoutWrapping(find(traced, kind, name)));
    }
    const [container] = podOf(find(traced, 'Deployment', 'gatehouse-data-plane'))?.containers ?? [];
    expect(() => readSettings(settingsOf['data-plane'], environmentOf('data-plane', { ...Object.fromEntries(container?.env?.map(({ name, value = '10.1.2.3' }) => [name, value]) ?? []), GATEHOUSE_DATA_PLANE_PEER_URL: 'http://10.1.2.3:3001' }))).not.toThrow();
    expect(JSON.stringify(container?.env)).toContain('OTEL_EXPORTER_OTLP_ENDPOINT');
  });

  it('passes helm lint, strictly', () => {
    expect(chartMessages).toEqual([]);
  });

  it('takes other values, and refuses what it does not know', async () => {
    const { manifests } = await renderChart(tools, {
      host: 'agents.example', scheme: 'http', image: { repository: 'other', tag: '2' }, ingress: { enabled: false }, gatewayApi: { enabled: true }, externalSecrets: { enabled: false }, monitoring: { enabled: false },
      dataPlane: { env: [{ name: 'GATEHOUSE_EGRESS_ALLOWED_RANGES', value: '10.20.0.0/16' }] }, upstreams: [{ to: [{ ipBlock: { cidr: '10.20.0.0/16' } }], ports: [{ protocol: 'TCP', port: 8080 }] }],
    });
    const kinds = manifests.map(({ kind }) => kind);
    expect(kinds).toContain('HTTPRoute');
    for (const absent of ['Ingress', 'ExternalSecret', 'ServiceMonitor', 'PrometheusRule', 'ConfigMap']) expect(kinds).not.toContain(absent);
    const [container] = podOf(find(manifests, 'Deployment', 'gatehouse-data-plane'))?.containers ?? [];
    expect(container).toMatchObject({ image: 'other:2', env: expect.arrayContaining([{ name: 'GATEHOUSE_DATA_PLANE_URL', value: 'http://agents.example' }, { name: 'GATEHOUSE_EGRESS_ALLOWED_RANGES', value: '10.20.0.0/16' }]) as unknown });
    expect(JSON.stringify(find(manifests, 'NetworkPolicy', 'gatehouse-data-plane'))).toContain('8080');
    for (const wrong of [{ hots: 'a.example' }, { dataPlane: { replicas: 3 } }, { scheme: 'ftp' }]) await expect(renderChart(tools, wrong), JSON.stringify(wrong)).rejects.toThrow();
  });
});

/** Without what one of the two tools adds by itself. */
function withoutWrapping({ metadata, data, ...rest }: Manifest): unknown {
  const { name, labels: { 'app.kubernetes.io/part-of': _, ...labels } = {}, annotations = {} } = metadata;
  const ours = Object.entries(annotations).filter(([key]) => !key.startsWith('helm.sh/'));
  return { ...rest, name, labels, annotations: Object.fromEntries(ours), data: Object.values(data ?? {}).map((text) => JSON.parse(text) as unknown) };
}

describe('pods', () => {
  it('run as users of their own, with nothing they could write, gain or ask the API server for', () => {
    for (const [overlay, manifests] of all()) {
      for (const { name, pod } of podsOf(manifests)) {
        const where = `${overlay}: ${name}`;
        expect(pod.automountServiceAccountToken, where).toBe(false);
        expect(pod.securityContext, where).toMatchObject({ runAsNonRoot: true, runAsUser: expect.any(Number) as number, seccompProfile: { type: 'RuntimeDefault' } });
        expect(pod.volumes?.some((volume) => 'hostPath' in volume), where).toBe(false);
        for (const { securityContext, resources } of pod.containers) {
          expect(securityContext, where).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
          expect(Object.keys(resources?.requests ?? {}).sort(), where).toEqual(['cpu', 'memory']);
          // Without a limit of memory one leak takes the machine; a limit of CPU takes latency.
          expect(Object.keys(resources?.limits ?? {}), where).toEqual(['memory']);
        }
      }
    }
  });

  it('have images with a version', () => {
    for (const [overlay, manifests] of all()) for (const { pod } of podsOf(manifests)) for (const { image } of pod.containers) expect(image, overlay).toMatch(/:[^:/]*\d[^:/]*$/);
  });

  it('carry no secret in what they are started with', () => {
    for (const [overlay, manifests] of all()) {
      expect(manifests.map(({ kind }) => kind), overlay).not.toContain('Secret');
      for (const { pod } of podsOf(manifests)) {
        for (const { name, value } of pod.containers.flatMap(({ env = [] }) => env)) {
          if (/KEY|TOKEN|PASSWORD|DATABASE_URL|REDIS_URL/.test(name)) expect([name, value], overlay).toEqual([expect.stringMatching(/_FILE$/), expect.stringMatching(/^\/run\/secrets\//)]);
        }
      }
    }
  });

  it('of both planes are spread over zones and machines, may be disrupted one at a time, and surge before they shrink', () => {
    for (const [overlay, manifests] of all()) {
      for (const name of ['gatehouse-control-plane', 'gatehouse-data-plane']) {
        const deployment = find(manifests, 'Deployment', name);
        expect(podOf(deployment)?.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey), overlay).toEqual(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
        expect(deployment.spec, overlay).toMatchObject({ strategy: { rollingUpdate: { maxUnavailable: 0 } } });
        expect(find(manifests, 'PodDisruptionBudget', name).spec, overlay).toMatchObject({ maxUnavailable: 1 });
      }
      // Two masters of one number would fight.
      expect(find(manifests, 'Deployment', 'gatehouse-data-plane').spec, overlay).not.toHaveProperty('replicas');
      expect(find(manifests, 'HorizontalPodAutoscaler', 'gatehouse-data-plane').spec, overlay).toMatchObject({ scaleTargetRef: { kind: 'Deployment', name: 'gatehouse-data-plane' } });
    }
    for (const name of ['prod', 'chart']) {
      for (const plane of ['gatehouse-control-plane', 'gatehouse-data-plane']) {
        expect(podOf(find(of(name), 'Deployment', plane))?.topologySpreadConstraints?.[1]).toMatchObject({ whenUnsatisfiable: 'DoNotSchedule' });
      }
    }
  });

  it('live in a namespace that lets no others in', () => {
    for (const name of ['dev', 'prod']) expect(find(of(name), 'Namespace', 'gatehouse').metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });
});

describe('the network', () => {
  const policies = (manifests: Manifest[]): NetworkPolicySpec[] => manifests.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec as NetworkPolicySpec);
  const selects = ({ podSelector }: NetworkPolicySpec, name: string): boolean => {
    const names = [podSelector.matchLabels?.['app.kubernetes.io/name'] ?? [], podSelector.matchExpressions?.flatMap(({ values }) => values) ?? []].flat();
    return names.length === 0 || names.includes(name);
  };
  const egressOf = (manifests: Manifest[], name: string) => policies(manifests).filter((policy) => selects(policy, name)).flatMap(({ egress = [] }) => egress);
  const portsOf = (manifests: Manifest[], name: string): number[] => [...new Set(egressOf(manifests, name).flatMap(({ ports = [] }) => ports.map(({ port }) => port)))].sort((a, b) => a - b);

  it('is closed for what no rule opens, and every rule names ports and peers', () => {
    for (const [overlay, manifests] of all()) {
      expect(find(manifests, 'NetworkPolicy', 'default-deny').spec, overlay).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
      for (const { ingress = [], egress = [] } of policies(manifests)) {
        for (const rule of [...ingress, ...egress]) {
          expect(rule.ports?.length, overlay).toBeGreaterThan(0);
          expect([...(rule.to ?? []), ...(rule.from ?? [])].length, overlay).toBeGreaterThan(0);
        }
      }
    }
  });

  it('lets each reach what it needs: only the control plane and its migration Postgres, only data planes the control plane', () => {
    for (const [, manifests] of all()) {
      expect(portsOf(manifests, 'gatehouse-control-plane')).toEqual([53, 443, 5432, 6379]);
      expect(portsOf(manifests, 'gatehouse-migrate')).toEqual([53, 5432]);
      expect(portsOf(manifests, 'gatehouse-data-plane')).toEqual([53, 443, 3001, 3002, 6379]);
    }
  });

  it('reaches Redis, Postgres and a collector at the ports that they have', async () => {
    const expected = { 'gatehouse-control-plane': [53, 443, 4317, 6380, 6432, 26379], 'gatehouse-migrate': [53, 6432], 'gatehouse-data-plane': [53, 443, 3001, 3002, 4317, 6380, 26379] };
    const collector = `  - target: { kind: NetworkPolicy, name: collector }\n    patch: |\n      - { op: replace, path: /spec/egress/0/ports, value: [{ protocol: TCP, port: 4317 }] }\n`;
    const overlay = await renderOverlay(tools, 'prod', (text) =>
      text.replace('port: 5432 }', 'port: 6432 }').replace('port: 6379 }', 'port: 6380 }, { protocol: TCP, port: 26379 }').replace('  - ../../observability', '  - ../../components/tracing\n  - ../../observability') + collector);
    const values = { postgresPorts: [6432], redisPorts: [6380, 26379], tracing: { enabled: true, endpoint: 'https://collector.example:4317', collectorPorts: [4317] } };
    const { manifests, messages } = await renderChart(tools, values);
    expect(messages).toEqual([]);
    for (const [name, ports] of Object.entries(expected)) expect([portsOf(overlay, name), portsOf(manifests, name)], name).toEqual([ports, ports]);
    for (const wrong of [{ redisPorts: [] }, { postgresPorts: ['sql'] }, { tracing: { collectorPorts: [70_000] } }]) await expect(renderChart(tools, wrong), JSON.stringify(wrong)).rejects.toThrow();
  });

  it('keeps metadata services and private addresses from whoever reaches the world', () => {
    for (const [, manifests] of all()) {
      const open = policies(manifests).flatMap(({ egress = [] }) => egress).filter(({ to = [] }) => to.some(({ ipBlock }) => ipBlock?.cidr === '0.0.0.0/0'));
      expect(open.length).toBe(2);
      for (const { to = [], ports } of open) {
        expect(to.map(({ ipBlock }) => ipBlock?.except)).toEqual([['10.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16']]);
        expect(ports).toEqual([{ protocol: 'TCP', port: 443 }]);
      }
    }
  });

  it('lets nothing from outside in but at the public ports, and observers at the internal ones', () => {
    for (const [, manifests] of all()) {
      const outside = policies(manifests).flatMap(({ ingress = [] }) => ingress).filter(({ from = [] }) => from.some(({ namespaceSelector }) => namespaceSelector !== undefined));
      const opened = outside.map(({ from = [], ports = [] }) => [JSON.stringify(from.find(({ namespaceSelector }) => namespaceSelector)?.namespaceSelector), ports.map(({ port }) => port)]);
      const [enter, observe] = ['{"matchLabels":{"gatehouse/may-enter":"true"}}', '{"matchLabels":{"gatehouse/may-observe":"true"}}'];
      expect(opened).toEqual(expect.arrayContaining([[enter, [3000]], [observe, [3002]], [enter, [3001]], [observe, [3003]]]));
      expect(opened).toHaveLength(4);
    }
  });
});

it('secrets for trying are random, and all that the pods of the overlay mount', async () => {
  const make = async (): Promise<Manifest[]> => readManifests((await runCommand('sh', [join(root, 'k8s/make-secrets.sh'), 'trial'])).stdout);
  const [first, second] = [await make(), await make()];
  const values = (secrets: Manifest[]): string[] => secrets.flatMap((secret) => Object.values((secret as unknown as { stringData: Record<string, string> }).stringData));
  expect(new Set([...values(first), ...values(second)]).size).toBe(2 * values(first).length);
  const mounted = new Set(podsOf(of('dev')).flatMap(({ pod }) => (pod.volumes ?? []).flatMap(secretsOf)));
  expect(first.map(({ metadata }) => metadata.name).sort()).toEqual([...mounted].sort());
  const prodSecrets = of('prod').filter(({ kind }) => kind === 'ExternalSecret').map(({ metadata, spec }) => [metadata.name, (spec as { data: { secretKey: string }[] }).data.map(({ secretKey }) => secretKey).sort()]);
  for (const [name, keys] of prodSecrets) expect(Object.keys((find(first, 'Secret', name as string) as unknown as { stringData: object }).stringData).sort(), String(name)).toEqual(keys);
});

const secretsOf = ({ secret, projected }: Volume): string[] => [secret?.secretName ?? [], projected?.sources.map((source) => source.secret.name) ?? []].flat();
