import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { DeployTools } from './deploy-tools.ts';

/** As much of a manifest as specs look at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly resources?: { readonly requests?: Readonly<Record<string, string>>; readonly limits?: Readonly<Record<string, string>> };
  readonly securityContext?: unknown;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface Pod {
  readonly containers: readonly Container[];
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: unknown;
  readonly terminationGracePeriodSeconds?: number;
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string; readonly whenUnsatisfiable: string }[];
  readonly volumes?: readonly Volume[];
}

export interface Volume {
  readonly name: string;
  readonly hostPath?: unknown;
  readonly secret?: { readonly secretName: string };
  readonly projected?: { readonly sources: readonly { readonly secret: { readonly name: string } }[] };
}

export interface PolicyRule {
  readonly to?: readonly PolicyPeer[];
  readonly from?: readonly PolicyPeer[];
  readonly ports?: readonly { readonly port: number }[];
}

export interface PolicyPeer {
  readonly podSelector?: unknown;
  readonly namespaceSelector?: unknown;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPolicySpec {
  readonly podSelector: { readonly matchLabels?: Readonly<Record<string, string>>; readonly matchExpressions?: readonly { readonly values: readonly string[] }[] };
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
}

const k8s = fileURLToPath(new URL('../../k8s/', import.meta.url));
const chart = join(k8s, 'helm/gatehouse');
const specs = fileURLToPath(new URL('.', import.meta.url));

export const readManifests = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS() as Manifest | null).filter((manifest) => manifest !== null);

/** @param edit of the overlay's kustomization, in a copy */
export async function renderOverlay(tools: DeployTools, name: string, edit: (text: string) => string = (text) => text): Promise<Manifest[]> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-k8s-'));
  try {
    await cp(k8s, folder, { recursive: true, verbatimSymlinks: true });
    const file = join(folder, 'overlays', name, 'kustomization.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, edit(text));
    const { exitCode, stdout, stderr } = await tools.kubectl(['kustomize', join(folder, 'overlays', name)]);
    if (exitCode !== 0) throw new Error(stderr);
    return readManifests(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Error with what Helm says of values or templates that are wrong */
export async function renderChart(tools: DeployTools, values: object): Promise<{ manifests: Manifest[]; messages: string[] }> {
  const { exitCode, stdout, stderr } = await tools.python([join(specs, 'tools/chart.py'), chart, JSON.stringify(values)]);
  if (exitCode !== 0) throw new Error(stderr);
  const rendered = JSON.parse(stdout) as { manifests: Record<string, string>; messages: string[] };
  return { manifests: Object.values(rendered.manifests).flatMap(readManifests), messages: rendered.messages };
}

/** The pod of a Deployment, a StatefulSet or a Job. */
export const podOf = (manifest: Manifest): Pod | undefined => (manifest.spec as { template?: { spec?: Pod } } | undefined)?.template?.spec;

export const podsOf = (manifests: readonly Manifest[]): { name: string; pod: Pod }[] =>
  manifests.flatMap((manifest) => {
    const pod = podOf(manifest);
    return pod === undefined ? [] : [{ name: manifest.metadata.name, pod }];
  });

export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}
