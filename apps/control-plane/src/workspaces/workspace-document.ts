import { readableWorkspace, writableWorkspace } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { pageSchema } from '../http/page-schema.ts';

export class WorkspaceInput extends createZodDto(writableWorkspace) {}
export class WorkspaceOutput extends createZodDto(readableWorkspace) {}
export class WorkspacePage extends createZodDto(pageSchema(readableWorkspace).meta({ id: 'WorkspacePage' })) {}
