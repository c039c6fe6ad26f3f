import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { createZodDto, ZodResponse } from 'nestjs-zod';
import { z } from 'zod';
import { Database } from '../database/database.ts';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { Vault } from '../vault/vault.ts';
import { AuthorizationServer } from './authorization-server.service.ts';
import { accessTokenKeys } from './signing-key-uses.ts';
import { rotateSigningKeys } from './rotate-signing-keys.ts';

const rotated = z.object({ kid: z.string().meta({ description: 'Of the key that signs now.' }) }).meta({ id: 'RotatedSigningKeys' });
class RotatedSigningKeysOutput extends createZodDto(rotated) {}

@ApiTags('OAuth clients')
@Controller('v1/oauth/signing-keys')
export class SigningKeysController {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #server: AuthorizationServer;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, vault: Vault, server: AuthorizationServer, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#vault = vault;
    this.#server = server;
    this.#publisher = publisher;
  }

  @Post('rotate')
  @Allow('admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'Replace the keys of agents’ access tokens at once: for a key that somebody else may have' })
  @ZodResponse({ status: 200, description: 'Data planes refuse all earlier access tokens as soon as they have the revision; agents refresh theirs, and nobody logs in again.', type: RotatedSigningKeysOutput })
  async rotateSigningKeys(@Actor() actor: ChangeAuthor): Promise<z.output<typeof rotated>> {
    const kid = await rotateSigningKeys(this.#database, this.#vault, accessTokenKeys, actor);
    this.#publisher.nudge();
    await this.#server.rereadKeys();
    return { kid };
  }
}
