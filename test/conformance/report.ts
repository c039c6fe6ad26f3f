import { startConformanceUpstream } from '../support/conformance-upstream.ts';
import {
  conformanceBars,
  conformanceSuites,
  runConformance,
  type ConformanceFigures,
  type ConformanceSuite,
} from '../support/run-conformance.ts';
import { startUp } from '../support/start-up.ts';

/** Prints what the reference server scores by itself and behind the gateway; exits 1 when the two differ or miss the bar. */
async function report(): Promise<void> {
  const upstream = await startConformanceUpstream();
  const gatehouse = await startUp();
  try {
    const { mcp } = await gatehouse.addServer({
      name: 'conformance',
      type: 'mcp',
      upstream: { url: upstream.url, transport: 'streamable-http' },
      agentAuth: { type: 'passthrough' },
      appAuth: { type: 'none' },
    });
    print(['suite', 'bar', 'direct', 'gateway', '']);
    for (const suite of conformanceSuites) {
      const direct = await runConformance(suite, upstream.url);
      const through = await runConformance(suite, mcp);
      const isGood = reachesBar(through) && same(direct, through);
      print([suite, barText(suite), figuresText(direct), figuresText(through), isGood ? 'ok' : 'NOT OK']);
      for (const line of differences(direct, through)) console.log(`  ${line}`);
      if (!isGood) process.exitCode = 1;
    }
  } finally {
    await gatehouse.close();
    await upstream.close();
  }
}

function reachesBar(figures: ConformanceFigures): boolean {
  const { of, checks } = conformanceBars[figures.suite];
  return figures[of].failed === 0 && figures[of].passed >= checks;
}

function same(direct: ConformanceFigures, through: ConformanceFigures): boolean {
  return differences(direct, through).length === 0;
}

function differences(direct: ConformanceFigures, through: ConformanceFigures): string[] {
  const only = (ours: ConformanceFigures, other: ConformanceFigures, where: string): string[] =>
    ours.outcomes.filter((outcome) => !other.outcomes.includes(outcome)).map((outcome) => `only ${where}: ${outcome}`);
  return [...only(direct, through, 'direct'), ...only(through, direct, 'gateway')];
}

function barText(suite: ConformanceSuite): string {
  const { of, checks } = conformanceBars[suite];
  return of === 'total' ? `${checks}` : `${checks} required`;
}

function figuresText({ suite, ...tallies }: ConformanceFigures): string {
  const { passed, failed } = tallies[conformanceBars[suite].of];
  return `${passed}/${passed + failed}`;
}

function print([suite = '', bar = '', direct = '', gateway = '', verdict = '']: string[]): void {
  console.log(`${suite.padEnd(12)}${bar.padEnd(14)}${direct.padEnd(10)}${gateway.padEnd(10)}${verdict}`);
}

await report();
