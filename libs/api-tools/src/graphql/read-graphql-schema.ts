import { GatewayError } from '@gatehouse/errors';
import { buildClientSchema, buildSchema, GraphQLError, type GraphQLSchema, type IntrospectionQuery } from 'graphql';
import { isObject, own } from '../json-value.ts';
import { checkApiDocument } from '../read-api-document.ts';

const maxCharacters = 20 * 1024 * 1024;
const maxTokens = 2_000_000;

/**
 * The schema of a GraphQL API: SDL, or what introspection answered, with or without `data` around it.
 * @throws GatewayError validation_failed
 */
export function readGraphqlSchema(text: string): GraphQLSchema {
  if (text.length > maxCharacters) throw unfit(`must have at most ${maxCharacters} characters`);
  try {
    return /^\s*\{/.test(text) ? fromIntrospection(JSON.parse(text)) : buildSchema(text, { maxTokens });
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    // Where it is no such text at all, what it is instead is nobody's to see: it may have been fetched from anywhere.
    const [location] = cause instanceof GraphQLError ? (cause.locations ?? []) : [];
    throw unfit(`is no schema of GraphQL${location === undefined ? '' : `: line ${location.line}, column ${location.column}`}`);
  }
}

function fromIntrospection(value: unknown): GraphQLSchema {
  const answer = checkApiDocument(value);
  const data = own(answer, 'data') ?? answer;
  if (!isObject(data) || !isObject(own(data, '__schema'))) throw unfit('must be SDL or the answer to an introspection query');
  return buildClientSchema(data as unknown as IntrospectionQuery);
}

const unfit = (detail: string): GatewayError => new GatewayError('validation_failed', { problems: [{ pointer: '', detail }] });
