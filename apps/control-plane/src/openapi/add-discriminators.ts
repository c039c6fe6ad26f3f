import type { OpenAPIObject } from '@nestjs/swagger';

type Json = Record<string, unknown>;

/** Marks every union of objects that a constant `type` or `kind` tells apart, so that generated clients can too. */
export function addDiscriminators(document: OpenAPIObject): OpenAPIObject {
  visit(document, document);
  return document;
}

function visit(value: unknown, document: OpenAPIObject): void {
  if (typeof value !== 'object' || value === null) return;
  const node = value as Json;
  const members = node['oneOf'] ?? node['anyOf'];
  if (Array.isArray(members) && members.length > 1) {
    const tag = ['type', 'kind'].find((name) => members.every((member) => constantOf(member, name, document) !== undefined));
    if (tag !== undefined) {
      delete node['anyOf'];
      node['oneOf'] = members;
      node['discriminator'] = { propertyName: tag };
    }
  }
  for (const child of Object.values(node)) visit(child, document);
}

function constantOf(member: unknown, name: string, document: OpenAPIObject): unknown {
  const properties = resolve(member, document)['properties'] as Record<string, Json> | undefined;
  return properties?.[name]?.['const'];
}

function resolve(member: unknown, document: OpenAPIObject): Json {
  const reference = (member as Json)['$ref'];
  if (typeof reference !== 'string') return member as Json;
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return (document.components?.schemas?.[name] ?? {}) as Json;
}
