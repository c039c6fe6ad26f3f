import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { roles } from '../person.ts';

const me = z
  .object({
    kind: z.enum(['admin-token', 'api-token', 'person']),
    role: z.enum(roles).meta({ description: 'The highest one.' }),
    id: z.string().optional(),
    name: z.string().optional(),
    email: z.string().optional(),
    provider: z.string().optional(),
    groups: z.array(z.string()).readonly().optional(),
    roles: z.array(z.enum(roles)).readonly().optional(),
    sessionId: z.string().optional(),
  })
  .meta({ id: 'Me', description: 'Who sends this request.' });

export type Me = z.output<typeof me>;
export class MeOutput extends createZodDto(me) {}
