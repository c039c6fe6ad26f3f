import { type Logger, nestLogger } from '@gatehouse/service-runtime';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.ts';
import type { Observed } from './observed.ts';

/** What answers on the internal port, once it listens there. */
export const createHealth = (observed: Observed, logger: Logger): Promise<NestFastifyApplication> =>
  NestFactory.create<NestFastifyApplication>(AppModule.for(observed), new FastifyAdapter(), { logger: nestLogger(logger), abortOnError: false });
