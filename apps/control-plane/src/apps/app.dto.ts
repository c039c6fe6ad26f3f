import { readableApp, writableApp } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { pageSchema } from '../http/page-schema.ts';

export class AppInput extends createZodDto(writableApp) {}
export class AppOutput extends createZodDto(readableApp) {}
export class AppPage extends createZodDto(pageSchema(readableApp).meta({ id: 'AppPage' })) {}
