import { GatewayError, type Problem } from '@gatehouse/errors';
import { ToolRules } from '@gatehouse/mcp-protocol';
import { type GraphQLField, type GraphQLInputType, type GraphQLSchema, isInputType, isNonNullType, Kind, type OperationDefinitionNode, parse, typeFromAST, validate } from 'graphql';
import type { ApiOperation } from '../api-operation.ts';
import type { JsonObject } from '../json-value.ts';
import type { ImportedApi, LeftOut } from '../openapi/import-openapi.ts';
import { nameArguments } from '../openapi/name-arguments.ts';
import { ToolNames } from '../openapi/tool-names.ts';
import { completeSchema } from '../schema/complete-schema.ts';
import { described, InputSchemas } from './input-schema.ts';
import { readGraphqlSchema } from './read-graphql-schema.ts';
import { selectFields } from './select-fields.ts';

export interface GraphqlDocument {
  readonly name: string;
  readonly description?: string | undefined;
  /** With one operation in it. */
  readonly document: string;
}

export interface GraphqlImportOptions {
  /** A tool for each; absent: one for each field of the query and the mutation type. */
  readonly operations?: readonly GraphqlDocument[] | undefined;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** How deep tools of root fields ask. */
  readonly maxDepth?: number | undefined;
}

const maxSchemaSize = 128 * 1024;
const maxTools = 5_000;
/** Of all tools together, as JSON: many of them may have the same large input. */
const maxTotalSize = 16 * 1024 * 1024;
const maxTokens = 10_000;
const maxNotes = 10_000;

/**
 * The tools of a GraphQL API, all of them at the base URL itself.
 * @param schema SDL, or what introspection answered
 * @throws GatewayError validation_failed, with a problem for each document that is not one of the schema’s
 */
export function importGraphql(schema: string, options: GraphqlImportOptions = {}): Pick<ImportedApi, 'operations' | 'leftOut'> {
  const api = readGraphqlSchema(schema);
  const inputs = new InputSchemas();
  if (options.operations !== undefined) return { operations: ofDocuments(api, options.operations, inputs), leftOut: [] };
  const rules = new ToolRules({ allow: options.include, deny: options.exclude });
  const names = new ToolNames();
  const roots = [['query', api.getQueryType()], ['mutation', api.getMutationType()]] as const;
  const operations: ApiOperation[] = [];
  const leftOut: LeftOut[] = [];
  let size = 0;
  for (const [kind, type] of roots) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      const name = names.take(field.name, kind, field.name);
      const reason = !rules.mayCall(name) ? 'excluded' : operations.length >= maxTools || size > maxTotalSize ? 'too_many' : undefined;
      if (reason !== undefined) {
        leftOut.push({ operation: `${kind} ${field.name}`.slice(0, 500), reason, pointer: '', detail: reason === 'excluded' ? 'is not among those to import' : 'comes after as many as one server can have' });
        continue;
      }
      const operation = ofRootField(api, kind, field, name, inputs, options.maxDepth ?? 3);
      size += JSON.stringify(operation).length;
      operations.push(operation);
    }
  }
  return { operations, leftOut: leftOut.slice(0, maxNotes) };
}

type RootKind = 'query' | 'mutation';
interface Variable {
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly required: boolean;
  readonly description?: string | null | undefined;
}

function ofRootField(schema: GraphQLSchema, kind: RootKind, field: GraphQLField<unknown, unknown>, name: string, inputs: InputSchemas, maxDepth: number): ApiOperation {
  const variables = field.args.map((argument): Variable => ({ name: argument.name, type: argument.type, required: isNonNullType(argument.type) && argument.defaultValue === undefined, description: argument.description }));
  const declared = variables.map((variable) => `$${variable.name}: ${String(variable.type)}`).join(', ');
  const given = variables.map((variable) => `${variable.name}: $${variable.name}`).join(', ');
  const document = `${kind}${declared && ` (${declared})`} { ${field.name}${given && `(${given})`} ${selectFields(schema, field.type, maxDepth)} }`;
  return toolOf(name, field.description ?? `${kind} ${field.name}`, kind, document, variables, inputs);
}

function ofDocuments(schema: GraphQLSchema, documents: readonly GraphqlDocument[], inputs: InputSchemas): ApiOperation[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  const tools = documents.flatMap(({ name, description, document }, index) => {
    if (names.has(name)) problems.push({ pointer: `/operations/${index}/name`, detail: 'is the name of another operation already' });
    names.add(name);
    const operation = operationIn(schema, document);
    if (typeof operation === 'string') {
      problems.push({ pointer: `/operations/${index}/document`, detail: operation });
      return [];
    }
    const variables = (operation.variableDefinitions ?? []).flatMap((definition): Variable[] => {
      const type = typeFromAST(schema, definition.type);
      return isInputType(type) ? [{ name: definition.variable.name.value, type, required: isNonNullType(type) && definition.defaultValue === undefined }] : [];
    });
    return [toolOf(name, description ?? name, operation.operation === 'mutation' ? 'mutation' : 'query', document, variables, inputs)];
  });
  if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
  return tools;
}

/** The one operation of a document, or what is wrong with it. */
function operationIn(schema: GraphQLSchema, text: string): OperationDefinitionNode | string {
  try {
    const document = parse(text, { maxTokens });
    const [error] = validate(schema, document, undefined, { maxErrors: 1 });
    if (error !== undefined) return error.message.slice(0, 500);
    const [operation, ...others] = document.definitions.filter((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION);
    if (operation === undefined || others.length > 0) return 'must have exactly one operation';
    return operation.operation === 'subscription' ? 'is a subscription, which no tool is made of' : operation;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 500) : 'cannot be read';
  }
}

function toolOf(name: string, description: string, kind: RootKind, document: string, variables: readonly Variable[], inputs: InputSchemas): ApiOperation {
  const argumentNames = nameArguments(variables.map((variable) => ({ name: variable.name, place: 'body' })));
  const required = argumentNames.filter((_, index) => variables[index]?.required);
  const properties: JsonObject = Object.fromEntries(variables.map((variable, index) => [argumentNames[index] as string, { ...inputs.schemaOf(variable.type), ...described(variable.description) }]));
  return {
    name,
    description: description.slice(0, 4_000),
    method: 'POST',
    path: '',
    parameters: [],
    graphql: { document, variables: variables.map((variable, index) => ({ argument: argumentNames[index] as string, name: variable.name })) },
    accept: 'application/graphql-response+json, application/json;q=0.9',
    inputSchema: completeSchema({ type: 'object', properties, ...(required.length === 0 ? {} : { required }), additionalProperties: false }, inputs, maxSchemaSize).schema,
    annotations: kind === 'query' ? { readOnlyHint: true, openWorldHint: true } : { readOnlyHint: false, openWorldHint: true },
  };
}
