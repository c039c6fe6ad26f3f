import { readableServer, writableServer } from '@gatehouse/gateway-config';
import { createZodDto, type ZodDto } from 'nestjs-zod';
import { serverPage } from './server-page.ts';

/** No class extends a union: what each of its members is has to do. */
type ObjectDto = ZodDto<{ parse(input: unknown): object; array(): { parse(input: unknown): object[] } }, false>;

export class ServerInput extends (createZodDto(writableServer) as unknown as ObjectDto) {}
export class ServerOutput extends (createZodDto(readableServer) as unknown as ObjectDto) {}
export class ServerPage extends createZodDto(serverPage(readableServer).meta({ id: 'ServerPage' })) {}
