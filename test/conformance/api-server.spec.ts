import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConformanceApi, startConformanceApi } from '../support/conformance-api.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type ConformanceSuite, runConformance } from '../support/run-conformance.ts';

/* P31 where the gateway itself is the MCP server, of an API: the scenarios about what such a server has. */

let api: ConformanceApi;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  [api, dataPlane] = await Promise.all([startConformanceApi(), startInProcessDataPlane({ GATEHOUSE_ALLOWED_HOSTS: 'localhost,127.0.0.1' })]);
  await dataPlane.publish({ name: 'conformance', type: 'api', upstream: { url: api.url }, tools: { operations: api.operations } });
});
afterAll(async () => {
  await dataPlane.close();
  await api.close();
});

const scenarios = /^(server-initialize|ping|tools-list|tools-call-(simple-text|image|audio|error)|json-schema-2020-12|dns-rebinding-protection|http-header-validation|server-stateless|server-sse-multiple-streams:server-accepts):?|^caching:sep-2549-(cache-scope|tools-list|ttl)|:wire-schema-valid /;
/** What takes a tool, a prompt or a stream that asks its client for something, which no API does. */
const others = /^server-stateless:sep-2575-(http-server-no-independent-requests-on-stream|missing-capability-http-400|server-no-log-without-loglevel|server-rejects-undeclared-capability|server-honors-notification-filter|server-sends-\S+|server-tags-subscription-id) /;

describe('P31 an API as an MCP server', () => {
  it.each<[ConformanceSuite, number]>([
    ['legacy-all', 13],
    ['2025-11-25', 46],
    ['2026-07-28', 100],
  ])('conformance suite %s: all %i checks that are about it', { timeout: 120_000 }, async (suite, checks) => {
    const { outcomes } = await runConformance(suite, `${dataPlane.url}/mcp/default/conformance`);
    const about = outcomes.filter((outcome) => scenarios.test(outcome) && !others.test(outcome));
    expect(about.filter((outcome) => !outcome.endsWith(' SUCCESS'))).toEqual([]);
    expect(about.length).toBe(checks);
  });
});
