import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { pageSchema } from '../http/page-schema.ts';

export const connectionStates = ['active', 'reconnect_required'] as const;

const connection = z
  .object({
    kind: z.literal('Connection'),
    id: z.string(),
    owner: z
      .object({ kind: z.enum(['app', 'server']), id: z.string(), name: z.string(), title: z.string() })
      .meta({ id: 'ConnectionOwner', description: 'The app, or the server that was discovered, whose tokens these are.' }),
    user: z.object({ id: z.string(), name: z.string(), email: z.string().optional() }).optional().meta({ description: 'Absent: the organisation’s.' }),
    account: z.string().optional().meta({ description: 'What the person is called at the provider, where it says so.' }),
    scopes: z.array(z.string()).readonly(),
    state: z.enum(connectionStates),
    failure: z
      .enum(['provider_unavailable', 'misconfigured', 'refused', 'lost_rotation'])
      .optional()
      .meta({ description: 'Why the last refresh failed; provider_unavailable and misconfigured may pass by themselves.' }),
    refreshable: z.boolean().meta({ description: 'The provider gave a refresh token.' }),
    expiresAt: z.string().optional().meta({ description: 'Of the access token.' }),
    refreshedAt: z.string(),
    lastUsedAt: z.string().optional().meta({ description: 'To a few minutes.' }),
    createdAt: z.string(),
  })
  .meta({ id: 'Connection', description: 'A person’s, or the organisation’s, authorization at an app. Never its tokens.' });

const connectLink = z
  .object({ connectUrl: z.string(), linkId: z.string(), expiresAt: z.string() })
  .meta({ id: 'ConnectLink', description: 'For the person whose connection it is, once.' });

export type ReadableConnection = z.output<typeof connection>;
export type ReadableConnectLink = z.output<typeof connectLink>;

export class ConnectionOutput extends createZodDto(connection) {}
export class ConnectionPage extends createZodDto(pageSchema(connection).meta({ id: 'ConnectionPage' })) {}
export class ConnectLinkOutput extends createZodDto(connectLink) {}
