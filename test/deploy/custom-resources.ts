import type { DeployTools } from './deploy-tools.ts';
import type { Manifest } from './manifests.ts';

interface CompiledSchema {
  validate: { (data: unknown): boolean; errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null };
}

const schemas: Readonly<Record<string, string>> = {
  'HTTPRoute.gateway.networking.k8s.io/v1': '@kubernetes-models/gateway-api/_schemas/IoK8sSigsGatewayApiApisV1HTTPRoute.js',
  'ExternalSecret.external-secrets.io/v1': '@kubernetes-models/external-secrets/_schemas/ComGithubExternalSecretsExternalSecretsApisExternalsecretsV1ExternalSecret.js',
  'ServiceMonitor.monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/_schemas/ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1ServiceMonitor.js',
  'PrometheusRule.monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/_schemas/ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1PrometheusRule.js',
};

/** What is wrong with a custom resource by its definition's schema. Undefined for what is none. */
export async function customResourceProblems(tools: DeployTools, manifest: Manifest): Promise<string[] | undefined> {
  const path = schemas[`${manifest.kind}.${manifest.apiVersion}`];
  if (path === undefined) return undefined;
  const { validate } = await tools.load<CompiledSchema>(path);
  const read = new Set<string>();
  const isValid = validate(watched(manifest, '', read));
  if (!isValid) return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  // These schemas let unknown fields pass, which the API server would drop: a field that the validator never looked at is none.
  return pathsOf(manifest, '').filter((place) => !read.has(place)).map((place) => `${place} is not a field`);
}

/** The value, noting each place that is looked at. */
function watched<T>(value: T, place: string, read: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value;
  const seen = (key: string | symbol): string => `${place}/${String(key)}`;
  return new Proxy(value, {
    get: (target, key) => {
      read.add(seen(key));
      return watched(Reflect.get(target, key) as unknown, seen(key), read);
    },
  });
}

function pathsOf(value: unknown, place: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${place}/${key}`, ...pathsOf(inner, `${place}/${key}`)]);
}
