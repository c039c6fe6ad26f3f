import { presetUrl } from '@gatehouse/api-tools';
import { takeSecrets } from '@gatehouse/config-fields';
import type { Problem } from '@gatehouse/errors';
import { writableServerFor } from '@gatehouse/gateway-config';
import type { z } from 'zod';
import { documentProblems } from '../../http/parse-document.ts';
import { missingSecrets } from '../missing-secrets.ts';
import type { ImportedTools } from './read-tools.ts';
import type { previewInput } from './tool-import.dto.ts';

export type ServerDraft = z.output<typeof previewInput>;

export interface ProposedServer {
  readonly server: Record<string, unknown>;
  readonly missing: Problem[];
}

/** A document for an API that nobody has registered yet: what somebody said of it, and for the rest what its own document says. */
export function proposeServer(draft: ServerDraft, sentTools: unknown, imported: ImportedTools): ProposedServer {
  const url = draft.upstream?.url ?? upstreamUrl(imported, draft.tools.openapi?.url);
  const server: Record<string, unknown> = {
    kind: 'Server',
    name: draft.name ?? slugOf(imported.title, url),
    ...(imported.title !== '' && { title: imported.title }),
    type: 'api',
    ...(url !== undefined && { upstream: draft.upstream ?? { url } }),
    agentAuth: { type: 'interactive' },
    // Without secrets: whoever sent them has them.
    ...takeSecrets({ appAuth: draft.appAuth ?? suggestedAppAuth(imported), outboundHeaders: draft.outboundHeaders }).document,
    tools: sentTools,
  };
  return { server, missing: [...documentProblems(writableServerFor(server), server), ...missingSecrets(server, [])] };
}

/** The first that is complete; one that is relative is so to the document (OpenAPI 3.1.1 section 4.8.5). */
function upstreamUrl({ servers }: ImportedTools, documentUrl: string | undefined): string | undefined {
  // A document without servers has one, at `/`.
  const candidates = servers.length === 0 && documentUrl !== undefined ? ['/'] : servers.map(presetUrl);
  return candidates.flatMap((candidate) => {
    const url = URL.parse(candidate, documentUrl);
    return url !== null && /^https?:$/.test(url.protocol) && !candidate.includes('{') ? [url.href.replace(/\/$/, '')] : [];
  })[0];
}

function suggestedAppAuth({ suggestedAuth: [suggestion] }: ImportedTools): object {
  if (suggestion === undefined) return { type: 'none' };
  const { appAuth } = suggestion;
  return appAuth.type === 'oauth-authorization-code' ? { type: appAuth.type, scopes: appAuth.scopes } : appAuth;
}

function slugOf(title: string, url: string | undefined): string {
  const words = title.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 63).replace(/-$/, '');
  if (words !== '') return words;
  const host = url === undefined ? 'api' : new URL(url).hostname.replace(/^(?:api|www)\./, '').split('.', 1)[0];
  return host?.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'api';
}
