import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { identityKeys } from '../agents-oauth/signing-key-uses.ts';
import { readPublicKeys } from '../agents-oauth/signing-keys.store.ts';
import { Database } from '../database/database.ts';
import { Public } from '../http/public.ts';

/** What upstreams verify callers' identities with (RFC 7517). A key is there for a day before it signs, and for a day after. */
@ApiExcludeController()
@Public()
@Controller('.well-known')
export class PublishedKeysController {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  @Get('jwks.json')
  @Header('Cache-Control', 'public, max-age=300')
  async read(@Res() reply: FastifyReply): Promise<void> {
    void reply.header('Content-Type', 'application/json').send({ keys: await readPublicKeys(this.#database.sql, identityKeys.table) });
  }
}
