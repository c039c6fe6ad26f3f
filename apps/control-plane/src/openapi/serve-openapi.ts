import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { buildOpenApi } from './build-openapi.ts';

/** `/openapi.json` for programs and `/docs` for people. Registered on the adapter, so that no guard is in front of them. Who opens the URL that `up` prints is led there. */
export function serveOpenApi(application: NestFastifyApplication, publicUrl: string): void {
  const document = buildOpenApi(application, publicUrl);
  SwaggerModule.setup('docs', application, document, {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Gatehouse API',
    swaggerOptions: { persistAuthorization: false },
  });
  application.getHttpAdapter().getInstance().get('/', (_request, reply) => reply.redirect('/docs'));
}
