import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startConformanceUpstream } from '../support/conformance-upstream.ts';
import { type InProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { conformanceSuites, runConformance } from '../support/run-conformance.ts';
import type { RunningUpstream } from '../support/serve-both-eras.ts';

let upstream: RunningUpstream;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  [upstream, dataPlane] = await Promise.all([startConformanceUpstream(), startPublicDataPlane()]);
  await dataPlane.publish({ name: 'reference', upstream: { url: upstream.url } }, { name: 'virtual', type: 'virtual', members: [{ server: 'reference' }] });
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

/** The check wants event streams of three lists. Those of a virtual server are the gateway's own, and documents. */
const onStreams = 'server-sse-multiple-streams:server-sse-streams-functional SUCCESS';

describe.each(conformanceSuites)('P32 conformance suite %s through a virtual server with one member', (suite) => {
  it('fails nothing, and passes what the member passes', { timeout: 180_000 }, async () => {
    const direct = await runConformance(suite, upstream.url);
    const through = await runConformance(suite, `${dataPlane.url}/mcp/default/virtual`);
    expect(suite === '2026-07-28' ? through.requiredFailures : through.failures).toEqual([]);
    const lost = direct.outcomes.filter((outcome) => outcome.endsWith(' SUCCESS') && !through.outcomes.includes(outcome));
    expect(lost.filter((outcome) => outcome !== onStreams)).toEqual([]);
  });
});
