import { GatewayError, pointerOf } from '@gatehouse/errors';
import { ToolRules } from '@gatehouse/mcp-protocol';
import type { ApiOperation } from '../api-operation.ts';
import { isObject, type JsonObject, objectOf, own, textOf } from '../json-value.ts';
import { checkApiDocument } from '../read-api-document.ts';
import { Definitions } from '../schema/definitions.ts';
import { operationPointer, type OperationScope, readOperation } from './read-operation.ts';
import { type ApiServer, presetUrl, readServers } from './read-servers.ts';
import { References } from './references.ts';
import { credentialParameters, suggestAuth, type SuggestedAuth } from './suggest-auth.ts';
import { ToolNames } from './tool-names.ts';
import { upgradeSwagger } from './upgrade-swagger.ts';
import { type ImportWarning, type LeftOutReason, Unusable } from './unusable.ts';

export interface ImportOptions {
  /** Globs over names of tools, as in `access.tools`: which to import, all when absent. */
  readonly include?: readonly string[] | undefined;
  /** And which of those not to. */
  readonly exclude?: readonly string[] | undefined;
}

export interface LeftOut {
  /** As `GET /path`. */
  readonly operation: string;
  readonly reason: LeftOutReason;
  readonly pointer: string;
  readonly detail: string;
}

export interface ImportedApi {
  readonly title: string;
  readonly version: string;
  readonly servers: readonly ApiServer[];
  readonly suggestedAuth: readonly SuggestedAuth[];
  readonly operations: readonly ApiOperation[];
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly ImportWarning[];
}

const methods: ReadonlyMap<string, ApiOperation['method'] | undefined> = new Map([
  ['get', 'GET'], ['put', 'PUT'], ['post', 'POST'], ['delete', 'DELETE'], ['patch', 'PATCH'],
  // These answer nothing that a tool could give back, or are the connection’s own business.
  ['head', undefined], ['options', undefined], ['trace', undefined],
]);

const maxOperations = 10_000;
/** Of all tools together, as JSON: they are stored, sent to data planes and listed. */
const maxTotalSize = 64 * 1024 * 1024;
const maxNotes = 10_000;
/** The beginning of a pointer says where to look. */
const maxPointer = 2_000;

/**
 * The tools of an OpenAPI document, 3.0 or 3.1, or of Swagger 2.0 (pointers are then into what it is as OpenAPI 3.0). What cannot become a tool is left out and named, and the rest goes on.
 * @throws GatewayError validation_failed when the document is none
 */
export function importOpenApi(document: unknown, options: ImportOptions = {}): ImportedApi {
  const given = checkApiDocument(document);
  const api = own(given, 'swagger') === '2.0' ? upgradeSwagger(given) : given;
  const version = own(api, 'openapi');
  if (typeof version !== 'string' || !/^3\.[01]\.\d/.test(version)) throw unfit('/openapi', 'must be an OpenAPI document of version 3.0 or 3.1, or Swagger 2.0');
  if (!isObject(own(api, 'paths'))) throw unfit('/paths', 'must be an object with the paths of the API');

  const references = new References(api);
  const suggestedAuth = suggestAuth(api, references);
  const warnings: ImportWarning[] = [];
  const scope: OperationScope = {
    references,
    inputs: new Definitions(references, 'input'),
    outputs: new Definitions(references, 'output'),
    credentials: credentialParameters(suggestedAuth),
    warn: ({ pointer, ...warning }) => void (warnings.length < maxNotes && warnings.push({ pointer: pointer.slice(0, maxPointer), ...warning })),
  };
  const info = objectOf(own(api, 'info'));
  return {
    title: textOf(own(info, 'title'))?.slice(0, 200) ?? '',
    version: textOf(own(info, 'version'))?.slice(0, 100) ?? '',
    servers: readServers(own(api, 'servers')),
    suggestedAuth,
    ...readOperations(api, scope, options),
    warnings,
  };
}

function readOperations(api: JsonObject, scope: OperationScope, { include, exclude }: ImportOptions): Pick<ImportedApi, 'operations' | 'leftOut'> {
  const rules = new ToolRules({ allow: include, deny: exclude });
  const names = new ToolNames();
  const operations: ApiOperation[] = [];
  const leftOut: LeftOut[] = [];
  let size = 0;
  for (const { method, path, read } of eachOperation(api, scope, names)) {
    try {
      const operation = read((name) => {
        if (!rules.mayCall(name)) throw new Unusable('excluded', operationPointer(path, method), 'is not among those to import');
        if (operations.length >= maxOperations || size > maxTotalSize) throw new Unusable('too_many', operationPointer(path, method), 'comes after as many as one server can have');
      });
      size += JSON.stringify(operation).length;
      operations.push(operation);
    } catch (error) {
      if (leftOut.length < maxNotes) leftOut.push({ operation: `${method} ${path}`.slice(0, 500), ...reasonOf(error, operationPointer(path, method)) });
    }
  }
  return { operations, leftOut };
}

const reasonOf = (error: unknown, pointer: string): Omit<LeftOut, 'operation'> =>
  error instanceof Unusable
    ? { reason: error.reason, pointer: error.pointer, detail: error.message }
    : { reason: 'unreadable', pointer: pointer.slice(0, maxPointer), detail: 'is written in a way that its reader did not foresee' };

interface EachOperation {
  readonly method: string;
  readonly path: string;
  /** @throws Unusable */
  readonly read: (check: (name: string) => void) => ApiOperation;
}

function* eachOperation(api: JsonObject, scope: OperationScope, names: ToolNames): Generator<EachOperation> {
  const ownServers = serverUrls(own(api, 'servers'));
  for (const [path, entry] of Object.entries(objectOf(own(api, 'paths')))) {
    if (path.startsWith('x-')) continue;
    const pathPointer = pointerOf(['paths', path]);
    const item = attempt(() => scope.references.follow({ value: entry, pointer: pathPointer }));
    if (item instanceof Unusable) {
      yield { method: '*', path, read: () => { throw item; } };
      continue;
    }
    const { value: pathItem } = item;
    if (!isObject(pathItem)) continue;
    for (const [key, operation] of Object.entries(pathItem)) {
      if (!methods.has(key) || !isObject(operation)) continue;
      const method = methods.get(key);
      const pointer = `${item.pointer}/${key}`;
      const name = names.take(textOf(own(operation, 'operationId')), key, path);
      yield {
        method: key.toUpperCase(),
        path,
        read: (check) => {
          check(name);
          if (method === undefined) throw new Unusable('method_unsupported', pointer, `is ${key.toUpperCase()}, which no tool is made of`);
          const servers = own(operation, 'servers') ?? own(pathItem, 'servers');
          // Credentials are for the server’s one URL: a tool never asks another host (D7, docs/rules.md).
          if (servers !== undefined && !serverUrls(servers).some((url) => ownServers.includes(url))) throw new Unusable('other_server', pointer, 'is at another server than the rest: register that one by itself');
          return readOperation({ name, method, path, pathItem: { value: pathItem, pointer: item.pointer }, operation, pointer }, scope);
        },
      };
    }
  }
}

const serverUrls = (servers: unknown): readonly string[] => readServers(servers).map((server) => presetUrl(server).replace(/\/$/, ''));

function attempt<T>(read: () => T): T | Unusable {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unusable) return error;
    throw error;
  }
}

const unfit = (pointer: string, detail: string): GatewayError => new GatewayError('validation_failed', { problems: [{ pointer, detail }] });
