import { readableIdentityProvider, writableIdentityProvider } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { pageSchema } from '../../http/page-schema.ts';

export class IdentityProviderInput extends createZodDto(writableIdentityProvider) {}
export class IdentityProviderOutput extends createZodDto(readableIdentityProvider) {}
export class IdentityProviderPage extends createZodDto(pageSchema(readableIdentityProvider).meta({ id: 'IdentityProviderPage' })) {}
