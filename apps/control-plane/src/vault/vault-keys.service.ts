import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { pageOf, type PageQuery } from '../http/page.ts';
import { parseDocument } from '../http/parse-document.ts';
import { findWorkspace } from '../workspaces/workspaces.store.ts';
import { type DataKeys, type ReadableDataKey, type RequestedRotations, rotationRequest } from './data-key.dto.ts';
import { requestRotations } from './key-rotation.store.ts';
import { KeyRotation } from './key-rotation.service.ts';
import { sealedColumns } from './sealed-columns.ts';
import { countValues, type ValueCount } from './sealed-values.store.ts';
import { sealsUntilRotation } from './seals-until-rotation.ts';
import { gatewayItself } from './vault.ts';
import { type DataKeyPosition, type DataKeyState, isRotating, listDataKeys } from './vault-keys.store.ts';

/** Of a list of data keys, where a page ends. */
export const dataKeyPosition = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/\d{1,9}$/;

/** The vault's keys, as administrators see them: which there are, and that they be rotated. */
@Injectable()
export class VaultKeys {
  readonly #database: Database;
  readonly #rotation: KeyRotation;

  constructor(database: Database, rotation: KeyRotation) {
    this.#database = database;
    this.#rotation = rotation;
  }

  /** @throws GatewayError not_found */
  async list(workspace: string | undefined, { after, limit }: PageQuery): Promise<DataKeys> {
    const { sql } = this.#database;
    const workspaceId = workspace === undefined ? undefined : (await findWorkspace(sql, workspace)).id;
    const rows = await listDataKeys(sql, workspaceId, after === undefined ? undefined : positionOf(after), limit + 1);
    const counts = await countValues(sql, sealedColumns, [...new Set(rows.map((row) => row.workspaceId))]);
    return {
      ...pageOf(rows, limit, ({ workspaceId: owner, term }) => `${owner}/${term}`, (row) => present(row, valuesOf(counts, row))),
      rotating: await isRotating(sql, workspaceId, (key) => hasMoreToDo(sql, key)),
    };
  }

  /** Rotation goes on in the background, on any replica. @throws GatewayError validation_failed, not_found */
  async rotate(body: unknown, actor: ChangeAuthor): Promise<RequestedRotations> {
    const { workspace: reference } = parseDocument(rotationRequest, body ?? {});
    const requested = await this.#database.transaction(async (sql) => {
      const workspace = typeof reference === 'string' ? await findWorkspace(sql, reference) : undefined;
      const owner = reference === null ? gatewayItself : workspace?.id;
      const owners = await requestRotations(sql, owner === undefined ? undefined : [owner]);
      await appendAuditEvent(sql, {
        actor, action: 'data-key.rotation-requested', workspace: workspace?.name ?? null, targetKind: 'DataKey',
        targetId: owner ?? gatewayItself, targetName: owner === undefined ? 'all' : (workspace?.name ?? 'gatehouse'), fields: [],
      });
      return owners.length;
    });
    this.#rotation.nudge();
    return { requested };
  }
}

function positionOf(text: string): DataKeyPosition {
  const [workspaceId = '', term = ''] = text.split('/');
  return { workspaceId, term: Number(term) };
}

const valuesOf = (counts: readonly ValueCount[], key: DataKeyPosition): number =>
  counts.find(({ workspaceId, term }) => workspaceId === key.workspaceId && term === key.term)?.values ?? 0;

async function hasMoreToDo(sql: Sql, key: DataKeyPosition & { unreadable: number }): Promise<boolean> {
  if (key.unreadable === 0) return true;
  return valuesOf(await countValues(sql, sealedColumns, [key.workspaceId]), key) > key.unreadable;
}

function present(row: DataKeyState, values: number): ReadableDataKey {
  const { workspace, term, root, sealedCount, unreadable } = row;
  return {
    workspace, term, root, sealedCount, values, unreadable,
    state: row.state === 'decrypt_only' ? 'decrypt-only' : row.state,
    rotationDue: row.state === 'active' && sealedCount >= sealsUntilRotation,
    createdAt: row.createdAt.toISOString(),
    activatedAt: row.activatedAt?.toISOString() ?? null,
    destroyedAt: row.destroyedAt?.toISOString() ?? null,
  };
}
