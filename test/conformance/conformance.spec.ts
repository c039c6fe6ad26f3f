import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startConformanceUpstream } from '../support/conformance-upstream.ts';
import { conformanceBars, conformanceSuites, runConformance } from '../support/run-conformance.ts';
import type { RunningUpstream } from '../support/serve-both-eras.ts';
import { startUp, type RunningGatehouse, type ServerUrls } from '../support/start-up.ts';

let upstream: RunningUpstream;
let gatehouse: RunningGatehouse | undefined;
let urls: ServerUrls;

beforeAll(async () => {
  upstream = await startConformanceUpstream();
  gatehouse = await startUp();
  urls = await gatehouse.addServer({
    name: 'conformance',
    type: 'mcp',
    upstream: { url: upstream.url, transport: 'streamable-http' },
    agentAuth: { type: 'passthrough' },
    appAuth: { type: 'none' },
  });
});

afterAll(async () => {
  await gatehouse?.close();
  await upstream.close();
});

describe.each(conformanceSuites)('P31 conformance suite %s', (suite) => {
  const { of, checks } = conformanceBars[suite];

  it(`passes ${checks} ${of} checks, and the gateway scores what the server scores`, { timeout: 120_000 }, async () => {
    const direct = await runConformance(suite, upstream.url);
    expect(direct[of]).toEqual({ passed: checks, failed: 0 });
    const through = await runConformance(suite, urls.mcp);
    expect(through.outcomes).toEqual(direct.outcomes);
    expect(through[of]).toEqual(direct[of]);
  });
});
