import { SetMetadata } from '@nestjs/common';
import type { Role } from '../identity/person.ts';

const allowed = 'gatehouse:allow';

/** The least role that may use a route, or all routes of a controller that do not say otherwise. Without it nobody may. */
export const Allow = (least: Role) => SetMetadata(allowed, least);
export const allowKey = allowed;
