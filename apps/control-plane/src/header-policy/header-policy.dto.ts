import { readableHeaderPolicy, writableHeaderPolicy } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { pageSchema } from '../http/page-schema.ts';
import { passThroughUse } from './pass-through-use.ts';

export class HeaderPolicyInput extends createZodDto(writableHeaderPolicy) {}
export class HeaderPolicyOutput extends createZodDto(readableHeaderPolicy) {}
export class PassThroughPage extends createZodDto(pageSchema(passThroughUse).meta({ id: 'PassThroughPage' })) {}
