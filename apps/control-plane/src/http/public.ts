import { SetMetadata } from '@nestjs/common';

const publicRoute = 'gatehouse:public';

/** The only way past the guard. */
export const Public = () => SetMetadata(publicRoute, true);
export const isPublicKey = publicRoute;
