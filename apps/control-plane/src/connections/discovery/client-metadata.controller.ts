import { GatewayError } from '@gatehouse/errors';
import { Controller, Get, Header, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Database } from '../../database/database.ts';
import { isUuid } from '../../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { Public } from '../../http/public.ts';
import { isMetadataDocument } from './client-registrations.store.ts';
import { clientMetadata, metadataDocumentUrl } from './our-client-metadata.ts';

/** What authorization servers read about us, at the URL that is our client id there. */
@ApiExcludeController()
@Public()
@Controller('connect/clients')
export class ClientMetadataController {
  readonly #database: Database;
  readonly #controlPlaneUrl: string;

  constructor(database: Database, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  @Get(':registration')
  @Header('Cache-Control', 'public, max-age=300')
  async read(@Param('registration') id: string, @Res() reply: FastifyReply): Promise<void> {
    if (!isUuid(id) || !(await isMetadataDocument(this.#database.sql, id))) throw new GatewayError('not_found', { detail: 'client' });
    const url = this.#controlPlaneUrl;
    void reply.header('Content-Type', 'application/json').send({ client_id: metadataDocumentUrl(url, id), ...clientMetadata(url, id, 'none') });
  }
}
