import type { Problem } from '@gatehouse/errors';
import { keptSourceIn, type ToolsSource } from '@gatehouse/gateway-config';

/** A mark stands for what is stored, and for nothing else. */
export function unknownSource(tools: ToolsSource, stored: ToolsSource | undefined): Problem[] {
  const mark = keptSourceIn(tools);
  if (mark === undefined || mark.sha256 === (stored && keptSourceIn(stored)?.sha256)) return [];
  return [{ pointer: pointerOfSource(tools), detail: 'is not what is stored: send the document itself', code: 'source_unknown' }];
}

/** Of what is read in a document of a server. */
export function pointerOfSource({ openapi, graphql }: ToolsSource): string {
  if (openapi !== undefined) return openapi.url === undefined ? '/tools/openapi/document' : '/tools/openapi/url';
  if (graphql === undefined) return '/tools/operations';
  return graphql.schema !== undefined ? '/tools/graphql/schema' : graphql.url !== undefined ? '/tools/graphql/url' : '/tools/graphql';
}
