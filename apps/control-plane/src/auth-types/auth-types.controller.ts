import { agentAuthTypes } from '@gatehouse/agent-auth';
import { appAuthTypes } from '@gatehouse/app-auth';
import { outboundHeaderRecipes, outboundHeaderSources } from '@gatehouse/outbound-headers';
import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { createZodDto, ZodResponse } from 'nestjs-zod';
import { z } from 'zod';
import { Allow } from '../http/allow.ts';

const authType = z
  .object({
    type: z.string(),
    title: z.string(),
    description: z.string(),
    schema: z.record(z.string(), z.unknown()).meta({ description: 'JSON schema of what is written, with titles for a form; secrets are writeOnly.' }),
  })
  .meta({ id: 'AuthType' });

const recipe = z
  .object({
    id: z.string(),
    title: z.string(),
    description: z.string(),
    header: z.record(z.string(), z.unknown()).meta({ description: 'What is filled in already.' }),
    fields: z.array(z.object({
      pointer: z.string().meta({ description: 'Within the header. Titles are in the schema of the source.' }),
      required: z.boolean(),
      example: z.unknown(),
    })).meta({ description: 'What is still to be said.' }),
  })
  .meta({ id: 'OutboundHeaderRecipe' });

class AuthTypes extends createZodDto(
  z
    .object({
      agentAuth: z.array(authType),
      appAuth: z.array(authType),
      outboundHeaders: z.array(authType).meta({ description: 'Sources of outbound headers.' }),
      recipes: z.array(recipe).meta({ description: 'Outbound headers to begin with, for common needs.' }),
    })
    .meta({ id: 'AuthTypes' }),
) {}

interface Described {
  readonly type: string;
  readonly title: string;
  readonly description: string;
}

// They are part of the program: computed once.
const authTypes = {
  agentAuth: agentAuthTypes.map((entry) => describe(entry, entry.schema)),
  appAuth: appAuthTypes.map((entry) => describe(entry, entry.writable)),
  outboundHeaders: outboundHeaderSources.map((entry) => describe(entry, entry.writable)),
  recipes: outboundHeaderRecipes.map((entry) => ({ ...entry, header: { ...entry.header }, fields: [...entry.fields] })),
};

@ApiTags('authentication types')
@Controller('v1/auth-types')
@Allow('auditor')
export class AuthTypesController {
  @Get()
  @ApiOperation({ summary: 'List the authentication types with the schemas of their forms' })
  @ZodResponse({ status: 200, description: 'Agent and app authentication types, the sources of outbound headers, and recipes for them.', type: AuthTypes })
  listAuthTypes() {
    return authTypes;
  }
}

function describe({ type, title, description }: Described, schema: z.ZodType) {
  return { type, title, description, schema: z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown> };
}
