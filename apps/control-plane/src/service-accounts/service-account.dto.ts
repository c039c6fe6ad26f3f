import { issuedServiceAccount, readableServiceAccount, writableServiceAccount } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { pageSchema } from '../http/page-schema.ts';

export class ServiceAccountInput extends createZodDto(writableServiceAccount) {}
export class ServiceAccountOutput extends createZodDto(readableServiceAccount) {}
export class IssuedServiceAccountOutput extends createZodDto(issuedServiceAccount) {}
export class ServiceAccountPage extends createZodDto(pageSchema(readableServiceAccount).meta({ id: 'ServiceAccountPage' })) {}
