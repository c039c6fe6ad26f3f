import type { Heartbeat, SnapshotChannel } from '@gatehouse/snapshot-channel';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { createZodDto, ZodResponse } from 'nestjs-zod';
import { z } from 'zod';
import { channelToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { Allow } from '../http/allow.ts';
import { readRevision } from '../snapshots/revisions.store.ts';

const dataPlane = z
  .object({
    id: z.string(),
    version: z.string(),
    revision: z.number().optional().meta({ description: 'Of the snapshot it serves; absent while it has none.' }),
    hash: z.string().optional().meta({ description: 'Two data planes with the same hash serve the same.' }),
    ageSeconds: z.number(),
    source: z.enum(['channel', 'disk']).optional(),
    rejects: z.array(z.object({ id: z.string(), reason: z.string() })),
    draining: z.boolean(),
    reportedAt: z.string(),
    drift: z.boolean().meta({ description: 'It serves another revision than the newest one.' }),
  })
  .meta({ id: 'DataPlane' });

class DataPlaneList extends createZodDto(z.object({ revision: z.number().int(), items: z.array(dataPlane) }).meta({ id: 'DataPlaneList' })) {}

@ApiTags('data planes')
@Controller('v1/data-planes')
@Allow('auditor')
export class DataPlanesController {
  readonly #channel: SnapshotChannel;
  readonly #database: Database;

  constructor(@Inject(channelToken) channel: SnapshotChannel, database: Database) {
    this.#channel = channel;
    this.#database = database;
  }

  @Get()
  @ApiOperation({ summary: 'List the data planes that reported within the last minute' })
  @ZodResponse({ status: 200, description: 'The newest revision, and what each data plane serves.', type: DataPlaneList })
  async listDataPlanes() {
    const [heartbeats, revision] = await Promise.all([this.#channel.readHeartbeats(), readRevision(this.#database.sql)]);
    return { revision, items: heartbeats.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((heartbeat) => present(heartbeat, revision)) };
  }
}

function present({ rejects, ...heartbeat }: Heartbeat, revision: number) {
  return { ...heartbeat, rejects: rejects.map(({ id, reason }) => ({ id, reason })), drift: heartbeat.revision !== revision };
}
