import { createAddressGuard } from '@gatehouse/egress';
import type { FactoryProvider } from '@nestjs/common';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';

/** Under which Nest injects the guard of the control plane's own outgoing connections. */
export const addressGuardToken = Symbol('address guard');

export const addressGuardProvider: FactoryProvider = {
  provide: addressGuardToken,
  inject: [settingsToken],
  useFactory: ({ EGRESS_ALLOWED_RANGES: allowedRanges }: ControlPlaneSettings) => createAddressGuard({ allowedRanges }),
};
