import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { createZodDto, ZodResponse } from 'nestjs-zod';
import { z } from 'zod';
import { rotateSigningKeys } from '../agents-oauth/rotate-signing-keys.ts';
import { identityKeys } from '../agents-oauth/signing-key-uses.ts';
import { Database } from '../database/database.ts';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { Vault } from '../vault/vault.ts';

const rotated = z.object({ kid: z.string().meta({ description: 'Of the key that signs now.' }) }).meta({ id: 'RotatedIdentityKeys' });
class RotatedIdentityKeysOutput extends createZodDto(rotated) {}

@ApiTags('Caller identity')
@Controller('v1/identity-keys')
export class IdentityKeysController {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, vault: Vault, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#vault = vault;
    this.#publisher = publisher;
  }

  @Post('rotate')
  @Allow('admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'Replace the keys of signed caller identities at once: for a key that somebody else may have' })
  @ZodResponse({ status: 200, description: '`/.well-known/jwks.json` has the new key only, and data planes sign with it as soon as they have the revision. Upstreams that keep key sets read it again for an unknown `kid`.', type: RotatedIdentityKeysOutput })
  async rotateIdentityKeys(@Actor() actor: ChangeAuthor): Promise<z.output<typeof rotated>> {
    const kid = await rotateSigningKeys(this.#database, this.#vault, identityKeys, actor);
    this.#publisher.nudge();
    return { kid };
  }
}
