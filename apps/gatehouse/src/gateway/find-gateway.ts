import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CommandFailure, exitCodes } from '../command-failure.ts';
import type { Environment } from '../environment.ts';
import { adminTokenPath, defaultDataDirectory, readInstance } from './instance-file.ts';

export interface ControlPlaneAccess {
  readonly url: string;
  readonly token: string;
}

/** Where to look for a gateway: a data directory that was named, the environment, the nearest `.gatehouse`. */
export interface GatewaySearch {
  readonly dataDir?: string | undefined;
  readonly environment: Environment;
  /** Where the search for `.gatehouse` begins; the working directory when absent. */
  readonly from?: string;
}

const notRunning = 'No gateway found: is "gatehouse up" running?';

/** @throws CommandFailure saying how to name a gateway. */
export async function findControlPlane(search: GatewaySearch): Promise<ControlPlaneAccess> {
  const url = search.dataDir === undefined ? search.environment['GATEHOUSE_CONTROL_PLANE_URL'] : undefined;
  // A token belongs to the address it was given with: the local admin token never goes to another one.
  if (url) return { url: checkedUrl(url, 'GATEHOUSE_CONTROL_PLANE_URL'), token: await tokenOf(search.environment) };
  const directory = dataDirectoryOf(search);
  const instance = await readInstance(directory);
  if (!instance) throw new CommandFailure(`${notRunning} (looked in ${directory}; or set GATEHOUSE_CONTROL_PLANE_URL and GATEHOUSE_TOKEN)`);
  return { url: instance.controlPlaneUrl, token: await textOf(adminTokenPath(directory)) };
}

/** @throws CommandFailure saying how to name a gateway. */
export async function findDataPlane(search: GatewaySearch): Promise<string> {
  const url = search.dataDir === undefined ? search.environment['GATEHOUSE_DATA_PLANE_URL'] : undefined;
  if (url) return checkedUrl(url, 'GATEHOUSE_DATA_PLANE_URL');
  const directory = dataDirectoryOf(search);
  const instance = await readInstance(directory);
  if (!instance) throw new CommandFailure(`${notRunning} (looked in ${directory}; or set GATEHOUSE_DATA_PLANE_URL)`);
  return instance.dataPlaneUrl;
}

/** Like git: the nearest directory on the way up that has one, so that any folder of a checkout will do. */
function dataDirectoryOf({ dataDir, from = process.cwd() }: GatewaySearch): string {
  if (dataDir !== undefined) return resolve(from, dataDir);
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, defaultDataDirectory);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return resolve(from, defaultDataDirectory);
  }
}

async function tokenOf(environment: Environment): Promise<string> {
  const token = environment['GATEHOUSE_TOKEN'];
  if (token) return token;
  const file = environment['GATEHOUSE_TOKEN_FILE'];
  if (file) return textOf(file);
  throw new CommandFailure('GATEHOUSE_CONTROL_PLANE_URL is set but GATEHOUSE_TOKEN (or GATEHOUSE_TOKEN_FILE) is not.', { exitCode: exitCodes.settings });
}

async function textOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new CommandFailure(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`, { cause: error });
  }
}

function checkedUrl(url: string, setting: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '');
  throw new CommandFailure(`${setting} must be a URL that begins with http:// or https://`, { exitCode: exitCodes.settings });
}
