import { isObject, type JsonObject, listOf, objectOf, own, textOf } from '../json-value.ts';

export interface ServerVariable {
  readonly default: string;
  readonly description?: string;
  readonly enum?: readonly string[];
}

/** Where an API is, as its document says: `url` may be relative to the document and have `{variables}`. */
export interface ApiServer {
  readonly url: string;
  readonly description?: string;
  readonly variables: Readonly<Record<string, ServerVariable>>;
}

const maxServers = 50;
const maxUrl = 2_048;
const maxValue = 256;
const maxValues = 100;

export function readServers(value: unknown): ApiServer[] {
  return listOf(value)
    .slice(0, maxServers)
    .flatMap((entry) => {
      const url = isObject(entry) ? textOf(own(entry, 'url')) : undefined;
      if (!isObject(entry) || url === undefined || url.length > maxUrl) return [];
      const description = textOf(own(entry, 'description'))?.slice(0, 1_000);
      const server = { url, ...(description === undefined ? {} : { description }), variables: readVariables(objectOf(own(entry, 'variables'))) };
      return presetUrl(server).length > maxUrl ? [] : [server];
    });
}

const readVariables = (variables: JsonObject): Readonly<Record<string, ServerVariable>> =>
  Object.fromEntries(
    Object.entries(variables)
      .slice(0, maxServers)
      .flatMap(([name, value]) => {
        if (!isObject(value)) return [];
        const description = textOf(own(value, 'description'))?.slice(0, 1_000);
        const values = listOf(own(value, 'enum')).slice(0, maxValues).filter((option): option is string => typeof option === 'string' && option.length <= maxValue);
        const preset = own(value, 'default');
        return [[name, { default: typeof preset === 'string' ? preset.slice(0, maxValue) : '', ...(description === undefined ? {} : { description }), ...(values.length === 0 ? {} : { enum: values }) }]];
      }),
  );

/** A server’s URL with the values that its variables have when nobody chooses others (OpenAPI 3.1.1 section 4.8.6). */
export const presetUrl = ({ url, variables }: ApiServer): string => url.replace(/\{([^{}]+)\}/g, (whole, name: string) => (Object.hasOwn(variables, name) ? (variables[name] as ServerVariable).default : whole));
