import { getIntrospectionQuery } from 'graphql';

/** What asks a GraphQL API for its schema. */
export const introspectionQuery = (): string => getIntrospectionQuery();
