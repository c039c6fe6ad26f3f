import { CommandFailure } from '../command-failure.ts';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findControlPlane } from '../gateway/find-gateway.ts';
import { createRestClient, type RestClient, RestFailure, type RestReply } from '../gateway/rest-client.ts';
import { output, styled } from '../output.ts';
import { checkDocuments } from './check-documents.ts';
import { itemPath, planDocument } from './plan-document.ts';
import { readDocuments } from './read-documents.ts';
import { type CheckedDocument, titleOf } from './written-document.ts';

export interface ApplyOptions extends GatewayOptions {
  readonly file: readonly string[];
  readonly dryRun?: boolean;
}

/** `gatehouse apply`: the first document that the gateway refuses ends it, and says which ones were not applied. */
export async function applyDocuments(options: ApplyOptions): Promise<number> {
  const documents = await checkDocuments(await readDocuments(options.file), environment);
  const rest = createRestClient(await findControlPlane({ dataDir: options.dataDir, environment }));
  for (const [index, document] of documents.entries()) {
    try {
      const outcome = options.dryRun ? await foresee(document, rest) : await applyDocument(document, rest);
      output.line(`${titleOf(document)} ${outcome.text}`);
      for (const warning of outcome.warnings) output.line(`  ${styled('yellow', `warning: ${warning}`)}`);
      if (outcome.key !== undefined) output.line(`  ${styled('bold', 'its key, shown only now:')} ${outcome.key}`);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      const rest = documents.slice(index + 1).map(titleOf);
      const notApplied = rest.length > 0 ? `\nNot applied: ${rest.join(', ')}` : '';
      throw new CommandFailure(`${document.file}  ${titleOf(document)}: ${error.message}${notApplied}`, { cause: error });
    }
  }
  return 0;
}

interface Outcome {
  readonly text: string;
  readonly warnings: readonly string[];
  readonly key?: string;
}

async function foresee(document: CheckedDocument, rest: RestClient): Promise<Outcome> {
  const plan = await planDocument(document, rest);
  const texts = { create: 'would be created', replace: 'would be changed', nothing: 'is unchanged' };
  const isOnlySecret = plan.step === 'replace' && !plan.isCertain;
  return { text: isOnlySecret ? 'would get its secrets again, and is otherwise unchanged' : texts[plan.step], warnings: [] };
}

async function applyDocument(document: CheckedDocument, rest: RestClient, attempt = 1): Promise<Outcome> {
  const plan = await planDocument(document, rest);
  if (plan.step === 'nothing') return { text: 'unchanged', warnings: [] };
  try {
    if (plan.step === 'create') {
      const { body } = await createDocument(document, plan.etag, rest);
      return { text: styled('green', 'created'), ...tellingFields(body) };
    }
    const { body } = await rest.replace(itemPath(document), document.body, plan.etag);
    const isSame = (body as { revision?: unknown }).revision === plan.revision;
    const changed = plan.isCertain ? styled('yellow', 'changed') : 'unchanged, but its secrets were set again';
    return { text: isSame ? 'unchanged' : changed, ...tellingFields(body) };
  } catch (error) {
    // Somebody changed it between reading and writing: once more with what there is now.
    if (error instanceof RestFailure && error.status === 412 && attempt === 1) return applyDocument(document, rest, 2);
    throw error;
  }
}

const createDocument = (document: CheckedDocument, etag: string | undefined, rest: RestClient): Promise<RestReply> =>
  etag === undefined ? rest.create(document.kind.collection(document.workspace), document.body) : rest.replace(itemPath(document), document.body, etag);

/** What of an answer a person must see. */
function tellingFields(body: unknown): Pick<Outcome, 'warnings' | 'key'> {
  const { warnings = [], key } = body as { warnings?: readonly { pointer: string; detail: string }[]; key?: string };
  return { warnings: warnings.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()), ...(key !== undefined && { key }) };
}
