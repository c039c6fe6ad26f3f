import { readableHeaderPolicy, writableHeaderPolicy } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { serverPage } from '../servers/server-page.ts';
import { passThroughUse } from './pass-through-use.ts';

const passThroughPage = serverPage(passThroughUse).extend({
  warnings: readableHeaderPolicy.shape.warnings.optional().meta({ description: 'Why the page may say less than there is; absent where nothing is.' }),
});

export class HeaderPolicyInput extends createZodDto(writableHeaderPolicy) {}
export class HeaderPolicyOutput extends createZodDto(readableHeaderPolicy) {}
export class PassThroughPage extends createZodDto(passThroughPage.meta({ id: 'PassThroughPage' })) {}
