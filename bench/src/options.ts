import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Short rounds: a first impression in less than 40 seconds. */
  readonly quick: boolean;
  /** Also measures 10,000 servers. */
  readonly full: boolean;
  /** What is started as the gateway; another build can be measured with the same bench. */
  readonly gateway: string;
  /** Whether `gateway` is this checkout's own, and is built before it is measured. */
  readonly ownBuild: boolean;
}

export const usage = `npm run bench -- [--quick | --full] [--gateway=<file>]
  --quick    short rounds, less than 40 seconds in all
  --full     also 10,000 servers: start, memory, edits
  --gateway  measure this script instead of the gateway of the checkout, which is built first`;

const ownGateway = fileURLToPath(new URL('../../apps/gatehouse/bin/gatehouse.js', import.meta.url));

/** @throws TypeError for an unknown option */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: 'boolean', default: false }, full: { type: 'boolean', default: false }, gateway: { type: 'string' } },
  });
  return { quick: values.quick, full: values.full, gateway: values.gateway ?? ownGateway, ownBuild: values.gateway === undefined };
}
