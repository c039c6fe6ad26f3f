import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CommandFailure, exitCodes } from '../command-failure.ts';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findControlPlane } from '../gateway/find-gateway.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import { output, styled } from '../output.ts';
import { completeServer, type ProposedServer } from './complete-server.ts';
import { importAgain } from './import-again.ts';
import { type Preview, renderPreview } from './render-preview.ts';

export interface ImportOptions extends GatewayOptions {
  readonly workspace: string;
  readonly name?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly upstream?: string;
  readonly credentialEnv?: string;
  readonly agentAuth: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export interface ImportGraphqlOptions extends Omit<ImportOptions, 'upstream'> {
  readonly schema?: string;
}

/** What is asked of the gateway. */
interface ImportRequest {
  readonly tools: { readonly openapi?: object; readonly graphql?: object };
  /** What the tools themselves were given with. */
  readonly source: string | undefined;
  readonly upstream: string | undefined;
  readonly appAuth?: object;
}

/** `gatehouse import openapi` */
export async function importOpenapi(document: string, options: ImportOptions): Promise<number> {
  const { include, exclude, upstream } = options;
  const isUrl = /^https?:\/\//i.test(document);
  const source = isUrl ? undefined : await readSource(document);
  return importApi({ tools: { openapi: { ...(isUrl ? { url: document } : { document: source }), include, exclude } }, source, upstream }, options);
}

/** `gatehouse import graphql` */
export async function importGraphql(url: string, options: ImportGraphqlOptions): Promise<number> {
  const { include, exclude, schema } = options;
  const source = schema === undefined ? undefined : await readSource(schema);
  const token = credentialOf(options);
  return importApi({ tools: { graphql: { schema: source, include, exclude } }, source, upstream: url, ...(token !== undefined && { appAuth: { type: 'bearer', token } }) }, options);
}

async function importApi({ tools, source, upstream, appAuth }: ImportRequest, options: ImportOptions): Promise<number> {
  const credential = credentialOf(options);
  const rest = createRestClient(await findControlPlane({ dataDir: options.dataDir, environment }));
  const collection = `/v1/workspaces/${encodeURIComponent(options.workspace)}`;
  const wanted = { name: options.name ?? '', tools, upstream: { url: upstream ?? '' } };
  const named = options.name === undefined ? undefined : await rest.find(`${collection}/servers/${encodeURIComponent(options.name)}`);
  // It has the credential that its API may want to be asked with.
  if (named !== undefined) return importAgain({ rest, known: named, wanted, source }, options);
  const { body } = await rest.act(`${collection}/import-preview`, { tools, name: options.name, ...(upstream !== undefined && { upstream: { url: upstream } }), appAuth });
  const preview = body as Preview & { readonly server: ProposedServer; readonly missing: readonly { readonly pointer: string }[] };
  const known = await rest.find(`${collection}/servers/${encodeURIComponent(preview.server.name)}`);
  if (known !== undefined) return importAgain({ rest, known, wanted: { ...wanted, name: preview.server.name }, source }, options);
  if (options.dryRun) {
    if (options.json) output.json(preview);
    else output.line(renderPreview(preview));
    return 0;
  }
  const { server, notes } = completeServer(preview, { agentAuth: options.agentAuth, credential, given: appAuth });
  const created = await rest.create(`${collection}/servers`, server);
  if (options.json) output.json(created.body);
  else report(preview, created.body as CreatedServer, notes, options.workspace);
  return 0;
}

interface CreatedServer {
  readonly name: string;
  readonly url: string;
  readonly agentAuth: { readonly type: string };
  readonly warnings: readonly { readonly code: string; readonly pointer: string; readonly detail: string }[];
}

function report(preview: Preview, { name, url, agentAuth, warnings }: CreatedServer, notes: readonly string[], workspace: string): void {
  output.line(renderPreview(preview));
  output.line();
  output.line(`Server ${workspace}/${name} ${styled('green', 'created')}: ${url}`);
  // What is left out is listed above.
  const others = warnings.filter(({ code }) => code !== 'operations_left_out').map(({ pointer, detail }) => `${pointer} ${detail}`.trim());
  for (const text of [...notes, ...others]) output.line(`  ${styled('yellow', text)}`);
  // A call from the command line cannot log anybody in.
  const how = agentAuth.type === 'interactive' ? 'People log in to it, by an MCP client: gatehouse connect claude' : 'Try it: gatehouse call';
  output.line(`${how} ${name}${workspace === 'default' ? '' : ` --workspace ${workspace}`}`);
}

async function readSource(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw new CommandFailure(`The file ${file} cannot be read (${String((cause as NodeJS.ErrnoException).code)}).`, { cause, exitCode: exitCodes.usage });
  }
}

function credentialOf({ credentialEnv }: Pick<ImportOptions, 'credentialEnv'>): string | undefined {
  if (credentialEnv === undefined) return undefined;
  const value = environment[credentialEnv];
  if (!value) throw new CommandFailure(`The environment variable ${credentialEnv} is ${value === '' ? 'empty' : 'not set'}.`, { exitCode: exitCodes.usage });
  return value;
}

