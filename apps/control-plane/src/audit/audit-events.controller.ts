import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { createZodDto, ZodResponse } from 'nestjs-zod';
import { z } from 'zod';
import { Database } from '../database/database.ts';
import { Metrics } from '../health/metrics.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { numberPosition, type Page, pageOf, queryText, readPageQuery } from '../http/page.ts';
import { pageSchema } from '../http/page-schema.ts';
import type { ChainedAuditEvent } from './audit-event.ts';
import { listAuditEvents } from './audit-events.store.ts';
import { type ChainVerdict, verifyAuditChain } from './verify-audit-chain.ts';

const auditEvent = z
  .object({
    sequence: z.number().int(),
    id: z.string(),
    at: z.string(),
    actor: z.string().meta({ description: 'admin-token, api-token:<name> or person:<id>.' }),
    actorName: z.string().optional().meta({ description: 'Of a person, what they were called then.' }),
    action: z.string().meta({ description: 'Such as server.created.' }),
    workspace: z.string().nullable(),
    targetKind: z.enum(['ApiToken', 'App', 'Connection', 'Credential', 'DataKey', 'Grant', 'HeaderPolicy', 'IdentityProvider', 'OAuthClient', 'Person', 'Server', 'ServiceAccount', 'SigningKey', 'Workspace']),
    targetId: z.string(),
    targetName: z.string(),
    fields: z.array(z.string()).readonly().meta({ description: 'JSON pointers to what changed; never values.' }),
    prevHash: z.string(),
    hash: z.string().meta({ description: 'SHA-256 (base64url) of the canonical JSON of everything else.' }),
  })
  .meta({ id: 'AuditEvent' });

const verification = z.object({ intact: z.boolean(), events: z.number().int().optional(), brokenAt: z.number().int().optional() }).meta({ id: 'AuditVerification' });

class AuditEventPage extends createZodDto(pageSchema(auditEvent).meta({ id: 'AuditEventPage' })) {}
class AuditVerificationOutput extends createZodDto(verification) {}

@ApiTags('audit')
@Controller('v1/audit-events')
@Allow('auditor')
export class AuditEventsController {
  readonly #database: Database;
  readonly #auditVerifiedAt: Metrics['auditVerifiedAt'];

  constructor(database: Database, { auditVerifiedAt }: Metrics) {
    this.#database = database;
    this.#auditVerifiedAt = auditVerifiedAt;
  }

  @Get()
  @ApiOperation({ summary: 'List what was changed, the newest first' })
  @ApiQuery({ name: 'workspace', required: false, schema: { type: 'string' }, description: 'Name of the workspace.' })
  @ZodResponse({ status: 200, description: 'Audit events.', type: AuditEventPage })
  @ApiPage()
  async listAuditEvents(@Query('workspace') workspace: unknown, @Query('limit') limitText: unknown, @Query('cursor') cursor: unknown): Promise<Page<ChainedAuditEvent>> {
    const { after, limit } = readPageQuery(limitText, cursor, numberPosition);
    const page = { workspace: queryText('workspace', workspace), before: after === undefined ? undefined : Number(after), limit: limit + 1 };
    return pageOf(await listAuditEvents(this.#database.sql, page), limit, ({ sequence }) => String(sequence), (event) => event);
  }

  @Get('verification')
  @ApiOperation({ summary: 'Recompute the chain of hashes: has anyone changed the record?' })
  @ZodResponse({ status: 200, description: 'Whether the chain is intact.', type: AuditVerificationOutput })
  async verifyAuditEvents(): Promise<ChainVerdict> {
    const verdict = await verifyAuditChain(this.#database.sql);
    this.#auditVerifiedAt.reset();
    this.#auditVerifiedAt.set({ intact: String(verdict.intact) }, Date.now() / 1000);
    return verdict;
  }
}
