import type { Problem } from '@gatehouse/errors';
import { isKeptSource, type KeptSource, keptSourceOf, type ToolsSource } from '@gatehouse/gateway-config';

export interface TakenSource {
  /** With a mark in place of a source that the document itself had. */
  readonly tools: ToolsSource;
  /** That source; undefined where there is none, or only its mark. */
  readonly source: string | object | undefined;
}

/** What may be 20 MiB is kept apart from a server's document: that is read with every list. */
export function takeSource(tools: ToolsSource): TakenSource {
  const { openapi, graphql } = tools;
  const given = openapi?.document ?? graphql?.schema;
  if (given === undefined || isKeptSource(given)) return { tools, source: undefined };
  const kept = keptSourceOf(given);
  if (openapi !== undefined) return { tools: { ...tools, openapi: { ...openapi, document: kept } }, source: given };
  return { tools: { ...tools, graphql: { ...graphql, schema: kept } }, source: given };
}

export const keptIn = ({ openapi, graphql }: ToolsSource): KeptSource | undefined => [openapi?.document, graphql?.schema].find(isKeptSource);

/** A mark stands for what is stored, and for nothing else. */
export function unknownSource(tools: ToolsSource, stored: ToolsSource | undefined): Problem[] {
  const mark = keptIn(tools);
  if (mark === undefined || mark.sha256 === (stored && keptIn(stored)?.sha256)) return [];
  return [{ pointer: pointerOfSource(tools), detail: 'is not what is stored: send the document itself', code: 'source_unknown' }];
}

/** Of what is read in a document of a server. */
export function pointerOfSource({ openapi, graphql }: ToolsSource): string {
  if (openapi !== undefined) return openapi.url === undefined ? '/tools/openapi/document' : '/tools/openapi/url';
  if (graphql === undefined) return '/tools/operations';
  return graphql.schema !== undefined ? '/tools/graphql/schema' : graphql.url !== undefined ? '/tools/graphql/url' : '/tools/graphql';
}
