import type { EnvironmentPolicy } from '@gatehouse/gateway-config';
import type { ControlPlaneSettings } from '../environment.ts';

/** What the settings say about pass-through. */
export const environmentPolicyOf = (settings: ControlPlaneSettings): EnvironmentPolicy => ({
  enabled: settings.HEADER_PASSTHROUGH,
  list: settings.PASSTHROUGH_HEADERS,
  source: settings.PASSTHROUGH_HEADERS_SOURCE,
});
