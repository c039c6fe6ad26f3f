import { GatewayError } from '@gatehouse/errors';
import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import type { ChangeAuthor } from '../../http/actor.ts';
import { type Page, pageOf, type PageQuery } from '../../http/page.ts';
import { parseDocument } from '../../http/parse-document.ts';
import { hashToken } from '../random-token.ts';
import { type IssuedApiToken, type ReadableApiToken, writableApiToken } from './api-token.dto.ts';
import { newApiToken } from './api-token.ts';
import { type ApiTokenRow, deleteApiToken, insertApiToken, listApiTokens, useApiToken } from './api-tokens.store.ts';

const defaultLifeMs = 90 * 24 * 3600 * 1000;

/** Tokens for programs that use the REST API. Each is shown once; its hash is kept. */
@Injectable()
export class ApiTokens {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list({ after, limit }: PageQuery): Promise<Page<ReadableApiToken>> {
    return pageOf(await listApiTokens(this.#database.sql, after, limit + 1), limit, ({ name }) => name, present);
  }

  /** The token as long as it is valid. */
  find(token: string): Promise<ApiTokenRow | undefined> {
    return useApiToken(this.#database.sql, hashToken(token));
  }

  async issue(body: unknown, actor: ChangeAuthor): Promise<IssuedApiToken> {
    const { name, role, expiresAt: sent } = parseDocument(writableApiToken, body);
    const expiresAt = sent === null ? null : new Date(sent ?? Date.now() + defaultLifeMs);
    if (expiresAt !== null && expiresAt.getTime() <= Date.now()) throw new GatewayError('validation_failed', { problems: [{ pointer: '/expiresAt', detail: 'is in the past', code: 'invalid_value' }] });
    const token = newApiToken();
    const row = await this.#database.transaction(async (sql) => {
      const issued = await insertApiToken(sql, { id: uuidV7(), name, role, tokenHash: hashToken(token), createdBy: actor.name, expiresAt });
      await appendAuditEvent(sql, { actor, action: 'api-token.created', workspace: null, targetKind: 'ApiToken', targetId: issued.id, targetName: name, fields: ['/expiresAt', '/name', '/role'] });
      return issued;
    });
    return { ...present(row), token };
  }

  async revoke(idOrName: string, actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (sql) => {
      const { id, name } = await deleteApiToken(sql, idOrName);
      await appendAuditEvent(sql, { actor, action: 'api-token.revoked', workspace: null, targetKind: 'ApiToken', targetId: id, targetName: name, fields: [] });
    });
  }
}

const present = ({ id, name, role, createdBy, createdAt, expiresAt, lastUsedAt }: ApiTokenRow): ReadableApiToken => ({
  id, name, createdBy,
  role: role as ReadableApiToken['role'],
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt?.toISOString() ?? null,
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});
