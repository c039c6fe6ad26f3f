import { GatewayError } from '@gatehouse/errors';
import { upgradeFromTwoToThree } from '@scalar/openapi-upgrader/2.0-to-3.0';
import { isObject, type JsonObject } from '../json-value.ts';
import { checkApiDocument } from '../read-api-document.ts';

/**
 * A document of Swagger 2.0 as one of OpenAPI 3.0. What the document has wrong the upgrader was not made for; then it is refused as a whole.
 * @throws GatewayError validation_failed
 */
export function upgradeSwagger(document: JsonObject): JsonObject {
  let upgraded: unknown;
  try {
    upgraded = upgradeFromTwoToThree(structuredClone(document));
  } catch (cause) {
    throw new GatewayError('validation_failed', { cause, problems: [{ pointer: '/swagger', detail: 'cannot be read as Swagger 2.0: convert it to OpenAPI 3 with a tool of yours' }] });
  }
  return checkApiDocument(isObject(upgraded) ? { ...upgraded, openapi: '3.0.4' } : upgraded);
}
