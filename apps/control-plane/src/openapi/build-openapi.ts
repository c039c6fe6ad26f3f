import { version } from '@gatehouse/service-runtime';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { cleanupOpenApiDoc } from 'nestjs-zod';
import { addDiscriminators } from './add-discriminators.ts';
import { describeProblems } from './describe-problems.ts';
import { tidyNames } from './tidy-names.ts';

const description =
  'Registry, authentication configuration and audit of the gateway. Secrets are write-only: text sets one, leaving it out keeps it, null clears it. ' +
  'Errors are problem documents (RFC 9457) that list everything that is wrong.';

/** The API as OpenAPI 3.1, from the schemas that validate it. */
export function buildOpenApi(application: NestFastifyApplication, publicUrl: string): OpenAPIObject {
  const outline = new DocumentBuilder()
    .setTitle('Gatehouse')
    .setDescription(description)
    .setVersion(version)
    .setOpenAPIVersion('3.1.0')
    .addServer(publicUrl)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'The administrator’s token, an API token, or a token of an identity provider.' }, 'token')
    .addSecurityRequirements('token')
    .build();
  const options = { operationIdFactory: (_controller: string, method: string) => method };
  const document = cleanupOpenApiDoc(SwaggerModule.createDocument(application, outline, options), { version: '3.1' });
  return describeProblems(addDiscriminators(tidyNames(document)));
}
