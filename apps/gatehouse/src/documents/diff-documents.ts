import { CommandFailure } from '../command-failure.ts';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { describeFailure } from '../describe-failure.ts';
import { environment } from '../environment.ts';
import { findControlPlane } from '../gateway/find-gateway.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import { output, styled } from '../output.ts';
import { checkDocuments } from './check-documents.ts';
import { planDocument } from './plan-document.ts';
import { readDocuments } from './read-documents.ts';
import { renderDifference } from './render-difference.ts';
import { titleOf } from './written-document.ts';

export interface DiffOptions extends GatewayOptions {
  readonly file: readonly string[];
}

/** `gatehouse diff`: 0 no differences, 1 differences, 2 error. */
export async function diffDocuments(options: DiffOptions): Promise<number> {
  try {
    return (await showDifferences(options)) ? 1 : 0;
  } catch (error) {
    throw new CommandFailure(describeFailure(error), { exitCode: 2, cause: error });
  }
}

async function showDifferences({ file, dataDir }: DiffOptions): Promise<boolean> {
  const documents = await checkDocuments(await readDocuments(file), environment);
  const rest = createRestClient(await findControlPlane({ dataDir, environment }));
  let isDifferent = false;
  for (const document of documents) {
    const plan = await planDocument(document, rest);
    if (plan.step === 'create') output.line(styled('green', `+ ${titleOf(document)}  would be created`));
    if (plan.step === 'replace') {
      output.line(titleOf(document));
      for (const difference of plan.differences) output.line(`  ${renderDifference(difference)}`);
    }
    isDifferent ||= plan.step === 'create' || (plan.step === 'replace' && plan.isCertain);
  }
  return isDifferent;
}
