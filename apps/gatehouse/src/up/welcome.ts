import { relative } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { adminTokenPath, defaultDataDirectory } from '../gateway/instance-file.ts';
import { styled } from '../output.ts';

export interface Welcome {
  readonly demo?: boolean;
  readonly dataDir: string;
  readonly controlPlaneUrl: string;
  readonly dataPlaneUrl: string;
  /** Of the first administrator, as long as there is none. */
  readonly loginUrl: string | undefined;
  readonly logPath: string;
  readonly tookMs: number;
}

/** What a person reads when the gateway is ready: where everything is, and what to type next. */
export function welcome(gateway: Welcome): string {
  const { controlPlaneUrl, dataPlaneUrl, loginUrl } = gateway;
  const places: [string, string][] = [
    ['Control plane', controlPlaneUrl],
    ['API docs', `${controlPlaneUrl}/docs`],
    ['Data plane', dataPlaneUrl],
    ...(loginUrl === undefined ? [] : [['First login', loginUrl] as [string, string]]),
    ['Admin token', adminTokenPath(gateway.dataDir)],
    ['Log', relative('', gateway.logPath)],
  ];
  return [
    '',
    `  ${styled('bold', 'Gatehouse')} ${styled('dim', manifest.version)} ${styled('green', 'is ready')} ${styled('dim', `after ${(gateway.tookMs / 1000).toFixed(1)} s`)}`,
    '',
    ...places.map(([name, place]) => `  ${styled('dim', name.padEnd(15))} ${place}`),
    ...(loginUrl === undefined ? [] : ['', `  ${styled('dim', 'The first login sets your password; its link works once, within an hour.')}`]),
    '',
    ...nextSteps(gateway).flatMap(([title, line]) => [`  ${title}`, `    ${styled('cyan', line)}`]),
    '',
    `  ${styled('dim', 'Upstreams on this machine (loopback) are allowed. Ctrl+C stops.')}`,
    '',
  ].join('\n');
}

function nextSteps({ demo, dataDir, dataPlaneUrl }: Welcome): [string, string][] {
  const flag = dataDir === defaultDataDirectory ? '' : ` --data-dir ${quoted(dataDir)}`;
  if (!demo) return [['Register a server, in another terminal:', `npx gatehouse apply -f examples/orders.yaml${flag}`]];
  return [
    ['Call a tool, in another terminal:', `npx gatehouse call demo whoami${flag}`],
    ['Connect an agent, such as Claude Code:', `claude mcp add --transport http demo ${dataPlaneUrl}/mcp/default/demo`],
  ];
}

const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
