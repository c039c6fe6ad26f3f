import type { DataKeys } from '@gatehouse/control-plane';
import type { RestClient } from '../gateway/rest-client.ts';

export type DataKey = DataKeys['items'][number];

const pathOf = (workspace: string | undefined): string => `/v1/vault/keys${workspace === undefined ? '' : `?workspace=${encodeURIComponent(workspace)}`}`;

/** All of them, page by page. @throws RestFailure */
export async function readDataKeys(rest: RestClient, workspace: string | undefined): Promise<readonly DataKey[]> {
  return (await rest.list(pathOf(workspace))) as readonly DataKey[];
}

/** Whether a rotation is requested or going on. @throws RestFailure */
export async function isRotating(rest: RestClient, workspace: string | undefined): Promise<boolean> {
  const reply = await rest.find(pathOf(workspace));
  return (reply?.body as DataKeys | undefined)?.rotating === true;
}
