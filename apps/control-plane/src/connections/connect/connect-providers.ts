import type { Provider, Type } from '@nestjs/common';
import { ClientMetadataController } from '../discovery/client-metadata.controller.ts';
import { ClientRegistrations } from '../discovery/client-registrations.service.ts';
import { DiscoveredTargets } from '../discovery/discovered-targets.service.ts';
import { DiscoveryEgress } from '../discovery/discovery-egress.service.ts';
import { AppTargets } from './app-targets.service.ts';
import { ConnectFlows } from './connect-flows.service.ts';
import { ConnectLinkController } from './connect-link.controller.ts';
import { ConnectController } from './connect.controller.ts';
import { EnterCredentials } from './enter-credentials.service.ts';

/** How connections come about. */
export const connectProviders: readonly Provider[] = [AppTargets, DiscoveryEgress, ClientRegistrations, DiscoveredTargets, ConnectFlows, EnterCredentials];

export const connectControllers: readonly Type[] = [ConnectController, ConnectLinkController, ClientMetadataController];
