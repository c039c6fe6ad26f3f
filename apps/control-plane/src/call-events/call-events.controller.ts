import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { createZodDto, ZodResponse } from 'nestjs-zod';
import { z } from 'zod';
import { Database } from '../database/database.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { type Page, pageOf, readPageQuery } from '../http/page.ts';
import { pageSchema } from '../http/page-schema.ts';
import type { CallEvent } from './call-event.ts';
import { listCallEvents } from './call-events.store.ts';
import { momentPosition, positionAt, positionOf, readCallEventFilter } from './read-call-event-filter.ts';

const callEvent = z
  .object({
    id: z.string(),
    at: z.string().meta({ description: 'When the head of its answer was sent, by the data plane’s clock.' }),
    dataPlane: z.string(),
    workspace: z.string(),
    server: z.string(),
    serverId: z.string(),
    member: z.string().optional().meta({ description: 'Of a virtual server, the member whose tool it was.' }),
    caller: z.string().optional().meta({ description: 'Absent where nobody was let in.' }),
    callerKind: z.string().optional().meta({ description: 'anonymous, service-account, token or person.' }),
    endpoint: z.string().optional().meta({ description: 'mcp, sse, sse-messages or api.' }),
    http: z.string().optional().meta({ description: 'Method of the request.' }),
    era: z.string().optional().meta({ description: 'Of the caller’s MCP revision: legacy or modern.' }),
    method: z.string().optional().meta({ description: 'Of the MCP message.' }),
    tool: z.string().optional(),
    outcome: z.string().meta({ description: 'ok, or the code of the error.' }),
    credentials: z.array(z.string()).optional().meta({ description: 'How what was sent to the upstream was come by: none, stored, signed, connection, entered, client, exchanged, caller, identity. Absent where nothing was sent.' }),
    headers: z.record(z.string(), z.number()).optional().meta({ description: 'How many of the caller’s headers were kept, renamed or replaced, or dropped for which reason.' }),
    upstreamStatus: z.number().int().optional(),
    upstreamMs: z.number().optional().meta({ description: 'From the request to the first byte of the upstream’s answer.' }),
    durationMs: z.number().meta({ description: 'From the request to the head of its answer.' }),
  })
  .meta({ id: 'CallEvent' });

class CallEventPage extends createZodDto(pageSchema(callEvent).meta({ id: 'CallEventPage' })) {}

const text = (name: string, description: string): MethodDecorator => ApiQuery({ name, required: false, schema: { type: 'string' }, description });
const moment = (name: string, description: string): MethodDecorator => ApiQuery({ name, required: false, schema: { type: 'string', format: 'date-time' }, description });

@ApiTags('call events')
@Controller('v1/call-events')
@Allow('auditor')
export class CallEventsController {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  @Get()
  @ApiOperation({ summary: 'List what was called, the newest first' })
  @text('workspace', 'Name of the workspace.')
  @text('server', 'Name of the server.')
  @text('caller', 'As events name it: person:<id>, service-account:<id>, …')
  @text('tool', 'Name of the tool, as the caller called it.')
  @text('outcome', 'ok, or the code of an error.')
  @moment('from', 'Not before this moment.')
  @moment('to', 'Before this moment.')
  @ZodResponse({ status: 200, description: 'Call events.', type: CallEventPage })
  @ApiPage()
  async listCallEvents(@Query() query: Readonly<Record<string, unknown>>): Promise<Page<CallEvent>> {
    const { after, limit } = readPageQuery(query['limit'], query['cursor'], momentPosition);
    const events = await listCallEvents(this.#database.sql, readCallEventFilter(query), after === undefined ? undefined : positionAt(after), limit + 1);
    return pageOf(events, limit, positionOf, (event) => event);
  }
}
