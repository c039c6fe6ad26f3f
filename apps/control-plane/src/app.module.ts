import type { Logger } from '@gatehouse/service-runtime';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ZodSerializerInterceptor } from 'nestjs-zod';
import { channelToken, loggerToken } from './control-plane-parts.ts';
import { Database } from './database/database.ts';
import { type ControlPlaneSettings, settingsToken } from './environment.ts';
import { Metrics } from './health/metrics.ts';
import { AdminGuard } from './http/admin.guard.ts';
import { AllowedMethods } from './http/allowed-methods.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.ts';
import { IdempotencyService } from './idempotency/idempotency.service.ts';
import { CompleteServers } from './servers/complete-servers.service.ts';
import { ServersController } from './servers/servers.controller.ts';
import { ServersService } from './servers/servers.service.ts';
import { SnapshotPublisher } from './snapshots/snapshot-publisher.service.ts';
import { Vault } from './vault/vault.ts';

/** What a control plane is started with, made before Nest. */
export interface ControlPlaneParts {
  readonly settings: ControlPlaneSettings;
  readonly logger: Logger;
  readonly database: Database;
  readonly vault: Vault;
  readonly channel: SnapshotChannel;
  readonly metrics: Metrics;
  readonly allowedMethods: AllowedMethods;
}

@Module({})
export class AppModule {
  static of(parts: ControlPlaneParts): DynamicModule {
    return {
      module: AppModule,
      controllers: [ServersController],
      providers: [
        { provide: settingsToken, useValue: parts.settings },
        { provide: loggerToken, useValue: parts.logger },
        { provide: channelToken, useValue: parts.channel },
        { provide: Database, useValue: parts.database },
        { provide: Vault, useValue: parts.vault },
        { provide: Metrics, useValue: parts.metrics },
        { provide: AllowedMethods, useValue: parts.allowedMethods },
        { provide: APP_GUARD, useClass: AdminGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        // The first is the outermost: an answer is recorded as it was sent.
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ZodSerializerInterceptor },
        SnapshotPublisher,
        IdempotencyService,
        ServersService,
        CompleteServers,
      ],
    };
  }
}
