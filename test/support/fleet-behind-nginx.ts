import { vi } from 'vitest';
import type { AdminClient } from './admin-client.ts';
import type { GatehouseProcess } from './gatehouse-process.ts';
import { freePort, type Nginx, startNginx } from './nginx.ts';
import { type ProductionShape, startProductionShape } from './production-shape.ts';

/** A process of the fleet, in the place that the ingress knows; one that is started again takes it over. */
export interface Replica {
  readonly name: string;
  readonly process: GatehouseProcess;
  /** Where its health is asked for. */
  readonly internalUrl: string;
}

/** The shape of production: two control planes and two data planes as processes, behind nginx with the configuration of docker-compose.yml. */
export interface FleetBehindNginx {
  readonly shape: ProductionShape;
  readonly nginx: Nginx;
  /** What everybody outside knows. */
  readonly url: string;
  /** The administrator, through the ingress. */
  readonly admin: AdminClient;
  readonly dataPlanes: readonly Replica[];
  readonly controlPlanes: readonly Replica[];
  /** Starts one in the place of another that has ended. */
  startAgain(replica: Replica): Promise<void>;
  /** SIGTERM, to the end, and another one in its place; resolves when the ingress gives that one requests, of which there must be many. @returns the exit code */
  restart(replica: Replica): Promise<number | null>;
  close(): Promise<void>;
}

type Start = (port: string) => Promise<{ process: GatehouseProcess; internalUrl: string }>;

class Place implements Replica {
  readonly name: string;
  readonly #start: Start;
  readonly #port: string;
  #running: { process: GatehouseProcess; internalUrl: string } | undefined;

  constructor(name: string, port: number, start: Start) {
    this.name = name;
    this.#port = String(port);
    this.#start = start;
  }

  get target(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get process(): GatehouseProcess {
    return this.#now.process;
  }

  get internalUrl(): string {
    return this.#now.internalUrl;
  }

  async start(): Promise<void> {
    this.#running = await this.#start(this.#port);
  }

  get #now(): { process: GatehouseProcess; internalUrl: string } {
    if (this.#running === undefined) throw new Error(`${this.name} was not started`);
    return this.#running;
  }
}

export async function startFleetBehindNginx(more: Record<string, string> = {}): Promise<FleetBehindNginx> {
  const ports = await Promise.all(Array.from({ length: 5 }, freePort));
  const [listens = 0, ...ofPlanes] = ports;
  const url = `http://127.0.0.1:${listens}`;
  const shape = await startProductionShape({ GATEHOUSE_CONTROL_PLANE_URL: url, GATEHOUSE_DATA_PLANE_URL: url, GATEHOUSE_TRUSTED_PROXIES: 'loopback', ...more });
  const places = [
    ...['control-plane-1', 'control-plane-2'].map((name, index) => new Place(name, ofPlanes[index] ?? 0, (port) => shape.startControlPlane({ GATEHOUSE_CONTROL_PLANE_PORT: port }))),
    ...['data-plane-1', 'data-plane-2'].map(
      (name, index) => new Place(name, ofPlanes[index + 2] ?? 0, async (port) => {
        const process = await shape.startDataPlane(name, { GATEHOUSE_DATA_PLANE_PORT: port });
        return { process, internalUrl: process.internalUrl };
      }),
    ),
  ] as [Place, Place, Place, Place];
  await Promise.all(places.map((place) => place.start()));
  const [control1, control2, data1, data2] = places;
  const nginx = await startNginx({ dataPlanes: [data1.target, data2.target], controlPlanes: [control1.target, control2.target] }, listens);

  const startAgain = (replica: Replica): Promise<void> => (replica as Place).start();
  return {
    shape,
    nginx,
    url,
    admin: shape.adminAt(url),
    dataPlanes: [data1, data2],
    controlPlanes: [control1, control2],
    startAgain,
    restart: async (replica) => {
      const code = await replica.process.stop();
      await startAgain(replica);
      // nginx has to try it first: where one refused to be connected to, it waits for `fail_timeout`.
      await vi.waitFor(() => {
        if (!hasServed(replica.process)) throw new Error(`${replica.name} gets no requests`);
      }, { timeout: 60_000, interval: 50 });
      return code;
    },
    close: async () => {
      await shape.close();
      await nginx.close();
    },
  };
}

/**
 * Whether requests left their lines in its log: many, since nginx tries one that refused a connection with a single request,
 * and gives it more when that has come to its end.
 */
const hasServed = (started: GatehouseProcess): boolean => started.output().split('"durationMs":').length > 20;
