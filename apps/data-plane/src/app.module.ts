import { type DynamicModule, Module } from '@nestjs/common';
import { HealthController } from './health/health.controller.ts';
import { type Observed, observedToken } from './health/observed.ts';

/** What Nest serves here: the internal port. Calls are taken by the raw handler and never pass through Nest. */
@Module({})
export class AppModule {
  static for(observed: Observed): DynamicModule {
    return { module: AppModule, controllers: [HealthController], providers: [{ provide: observedToken, useValue: observed }] };
  }
}
