import { introspectionQuery } from '@gatehouse/api-tools';
import { guardedFetch, OriginPools } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import { version } from '@gatehouse/service-runtime';
import { networkFailure } from '../probe/network-steps.ts';
import { beginProbe, obtainCredentials, type Probe, type ProbeOptions } from '../probe/probe-upstream.ts';
import { StepFailure } from '../probe/step-failure.ts';
import { withCredentials } from '../probe/with-credentials.ts';
import { maxSourceBytes, sourceTimeouts } from './fetch-source.ts';

/**
 * What a GraphQL upstream answers when it is asked for its schema, with the server's own credentials and along the redirects that a data plane follows.
 * @throws GatewayError validation_failed, which says why there is none
 */
export async function introspectUpstream(server: UpstreamServerDocument, options: ProbeOptions): Promise<string> {
  const probe = beginProbe(server, options);
  try {
    return await ask(probe);
  } catch (error) {
    const { detail, reason } = networkFailure(error);
    throw refused(`cannot be imported by asking the upstream: ${probe.mask(lowerFirst(detail)).replace(/\.$/, '')}; or give schema or url`, reason);
  }
}

async function ask(probe: Probe): Promise<string> {
  const { server: { upstream }, guard, signal } = probe;
  const credentials = await obtainCredentials(probe);
  const pools = new OriginPools({ guard });
  try {
    const fetch = guardedFetch(pools, { timeouts: sourceTimeouts, maxResponseBytes: maxSourceBytes, redirectScope: upstream.url, finish: (target) => withCredentials(target, credentials) });
    const response = await fetch(upstream.url, {
      method: 'POST',
      signal,
      headers: { 'User-Agent': `gatehouse/${version}`, 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json;q=0.9', 'Accept-Encoding': 'identity' },
      body: JSON.stringify({ query: introspectionQuery() }),
    });
    const text = await response.text();
    if (response.status === 401 || response.status === 403) throw new StepFailure('upstream_rejected_credentials', `It answers HTTP ${response.status}: it wants other credentials.`, '');
    if (!hasSchema(text)) throw new StepFailure('upstream_failed', `It answers HTTP ${response.status} without a schema: introspection may be off there.`, '');
    return text;
  } finally {
    await pools.destroy();
  }
}

function hasSchema(text: string): boolean {
  try {
    const answer = JSON.parse(text) as { data?: { __schema?: unknown } | null } | null;
    return typeof answer?.data?.__schema === 'object';
  } catch {
    return false;
  }
}

const lowerFirst = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
const refused = (detail: string, code: string): GatewayError => new GatewayError('validation_failed', { problems: [{ pointer: '/tools/graphql', detail, code }] });
