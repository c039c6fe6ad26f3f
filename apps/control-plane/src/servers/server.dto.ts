import { readableServer, writableServer } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { serverPage } from './server-page.ts';

export class ServerInput extends createZodDto(writableServer) {}
export class ServerOutput extends createZodDto(readableServer) {}
export class ServerPage extends createZodDto(serverPage(readableServer).meta({ id: 'ServerPage' })) {}
