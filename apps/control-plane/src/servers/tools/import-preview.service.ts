import type { ApiOperation } from '@gatehouse/api-tools';
import type { AddressGuard } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import { completeServer, takeSource, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../database/database.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { parseDocument } from '../../http/parse-document.ts';
import { findWorkspace } from '../../workspaces/workspaces.store.ts';
import { plainTokenUrl } from '../plain-token-url.ts';
import { addressGuardToken } from '../probe/address-guard.provider.ts';
import { introspects } from './import-key.ts';
import { unknownSource } from './kept-source.ts';
import { proposeServer, type ServerDraft } from './propose-server.ts';
import { type ImportPreview, previewInput } from './tool-import.dto.ts';
import { ToolImports } from './tool-imports.service.ts';

/** What an import would bring; nothing of it is kept. */
@Injectable()
export class ImportPreviews {
  readonly #database: Database;
  readonly #imports: ToolImports;
  readonly #guard: AddressGuard;

  constructor(database: Database, imports: ToolImports, @Inject(addressGuardToken) guard: AddressGuard) {
    this.#guard = guard;
    this.#database = database;
    this.#imports = imports;
  }

  /** @throws GatewayError not_found, validation_failed */
  async preview(workspace: string, body: unknown): Promise<ImportPreview> {
    await findWorkspace(this.#database.sql, workspace);
    const insecure = await plainTokenUrl(body, this.#guard);
    const draft = parseDocument(previewInput, body);
    const { tools, source } = takeSource(draft.tools);
    const problems = source === undefined ? unknownSource(tools, undefined) : [];
    if (problems.length + insecure.length > 0) throw new GatewayError('validation_failed', { problems: [...problems, ...insecure] });
    const imported = await this.#imports.preview(tools, source, introspects({ tools }) ? { id: uuidV7(), workspace, server: upstreamOf(draft) } : undefined);
    const { title, version, servers, suggestedAuth, operations, leftOut, warnings } = imported;
    return {
      title, version, leftOut: [...leftOut], warnings: [...warnings],
      servers: servers.map(({ variables, ...server }) => ({ ...server, variables: { ...variables } })),
      suggestedAuth: suggestedAuth.map((suggestion) => ({ ...suggestion, appAuth: { ...suggestion.appAuth } })),
      tools: operations.map(previewTool),
      ...proposeServer(draft, (body as { tools: unknown }).tools, imported),
    };
  }
}

function previewTool({ name, title, description, method, path, annotations, inputSchema }: ApiOperation): ImportPreview['tools'][number] {
  return { name, title, description, method, path, annotations, arguments: Object.keys((inputSchema['properties'] ?? {})) };
}

/** @throws GatewayError validation_failed where it cannot be asked */
function upstreamOf({ upstream, appAuth = { type: 'none' }, outboundHeaders }: ServerDraft): UpstreamServerDocument {
  const document = { name: 'preview', type: 'api', upstream, agentAuth: { type: 'api-key' }, appAuth, outboundHeaders, tools: { operations: [] } };
  return parseDocument(completeServer, document) as UpstreamServerDocument;
}
