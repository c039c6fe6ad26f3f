import { readableServer, writableServer } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { pageSchema } from '../http/page-schema.ts';

export class ServerInput extends createZodDto(writableServer) {}
export class ServerOutput extends createZodDto(readableServer) {}
export class ServerPage extends createZodDto(pageSchema(readableServer).meta({ id: 'ServerPage' })) {}
