import { getNamedType, type GraphQLOutputType, isAbstractType, isLeafType, isNonNullType, isObjectType, type GraphQLSchema } from 'graphql';

const maxFields = 300;

/**
 * What to ask for of a root field: its scalars, and those of the objects in it down to a depth. Fields that need arguments are left
 * out; what can be of several types is asked for what all of them have, and its type.
 * @returns empty for a scalar
 */
export function selectFields(schema: GraphQLSchema, type: GraphQLOutputType, maxDepth: number): string {
  const budget = { left: maxFields };
  return select(schema, type, maxDepth, budget) ?? '';
}

function select(schema: GraphQLSchema, output: GraphQLOutputType, depth: number, budget: { left: number }): string | undefined {
  const type = getNamedType(output);
  if (isLeafType(type)) return undefined;
  const names = isAbstractType(type) ? ['__typename'] : [];
  for (const field of 'getFields' in type && (isObjectType(type) || isAbstractType(type)) ? Object.values(type.getFields()) : []) {
    if (budget.left <= 0) break;
    if (field.args.some((argument) => isNonNullType(argument.type) && argument.defaultValue === undefined)) continue;
    budget.left -= 1;
    if (isLeafType(getNamedType(field.type))) names.push(field.name);
    else if (depth > 1) {
      const inner = select(schema, field.type, depth - 1, budget);
      if (inner !== undefined) names.push(`${field.name} ${inner}`);
    }
  }
  // An object of nothing but objects, as deep as we look: its type is what can be asked for.
  return `{ ${names.length === 0 ? '__typename' : names.join(' ')} }`;
}
