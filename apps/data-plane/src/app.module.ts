import { type DynamicModule, Module } from '@nestjs/common';
import { DataPlane } from './data-plane.ts';
import { HealthController } from './health/health.controller.ts';

/** What Nest serves here: the internal port. Calls are taken by the raw handler and never pass through Nest. */
@Module({})
export class AppModule {
  static for(dataPlane: DataPlane): DynamicModule {
    return { module: AppModule, controllers: [HealthController], providers: [{ provide: DataPlane, useValue: dataPlane }] };
  }
}
