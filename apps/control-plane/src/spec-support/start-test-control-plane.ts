import { randomBytes } from 'node:crypto';
import { type CallEventStream, createMemoryCallEventStream, createMemoryChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { createLogger, type Logger } from '@gatehouse/service-runtime';
import { type ControlPlane, startControlPlane } from '../start-control-plane.ts';

export const testAdminToken = 'test-admin-token-0123456789abcdefghij';

export interface TestControlPlane extends ControlPlane {
  readonly channel: SnapshotChannel;
  readonly callEvents: CallEventStream;
  readonly environment: Readonly<Record<string, string>>;
  send<Body = unknown>(method: string, path: string, options?: SendOptions): Promise<Reply<Body>>;
}

export interface SendOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the administrator's. */
  readonly authorization?: string | undefined;
}

export interface Reply<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

export function testEnvironment(databaseUrl: string): Record<string, string> {
  return {
    GATEHOUSE_DATABASE_URL: databaseUrl,
    GATEHOUSE_CONTROL_PLANE_HOST: '127.0.0.1',
    GATEHOUSE_CONTROL_PLANE_PORT: '0',
    GATEHOUSE_CONTROL_PLANE_INTERNAL_HOST: '127.0.0.1',
    GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: '0',
    GATEHOUSE_DATA_PLANE_URL: 'https://gateway.example',
    GATEHOUSE_VAULT_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_SNAPSHOT_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_ADMIN_TOKEN: testAdminToken,
    GATEHOUSE_LOG_LEVEL: 'error',
  };
}

export interface TestOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly channel?: SnapshotChannel;
  readonly logger?: Logger;
}

/** A whole control plane on free ports, with a channel in process. */
export async function startTestControlPlane({ environment, channel = createMemoryChannel(), logger }: TestOptions): Promise<TestControlPlane> {
  const callEvents = createMemoryCallEventStream();
  const plane = await startControlPlane({
    environment, channel, callEvents, migrate: true, logger: logger ?? createLogger({ level: 'fatal', role: 'control-plane' }),
  });
  return { ...plane, channel, callEvents, environment, send: (method, path, options) => send(plane.url, method, path, options) };
}

export async function send<Body>(url: string, method: string, path: string, options: SendOptions = {}): Promise<Reply<Body>> {
  const authorization = 'authorization' in options ? options.authorization : `Bearer ${testAdminToken}`;
  const { body } = options;
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(authorization !== undefined && { Authorization: authorization }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...options.headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: (isJson && text !== '' ? JSON.parse(text) : undefined) as Body };
}

/** Resolves when `check` says so; looks again every few milliseconds. */
export async function until(check: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
