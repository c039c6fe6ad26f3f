import type { Person } from '../../identity/person.ts';
import { type Html, html } from '../../pages/html.ts';
import { renderPage } from '../../pages/render-page.ts';
import type { GrantRow } from '../grants.store.ts';

export const agentsPath = '/me/agents';

export interface AgentsPage {
  readonly person: Person;
  readonly grants: readonly GrantRow[];
  readonly formToken: string;
}

/** What somebody allowed agents, and how to end it. */
export function agentsPage({ person, grants, formToken }: AgentsPage): string {
  const body = html`
<p class="soft">Applications that may use servers as ${person.name}. One that you end is logged out at once, and asks you again when it comes back.</p>
${grants.length === 0 ? html`<p>There are none.</p>` : html`<ul>${grants.map((grant) => entry(grant, formToken))}</ul>`}
${grants.length > 1 && form(formToken, 'all', 'End all of them')}
`;
  return renderPage({ title: 'Your agents', body });
}

const entry = ({ id, clientName, redirectHost, resource, createdAt, lastUsedAt }: GrantRow, formToken: string): Html => html`<li>
<p><b>“${clientName}”</b> at ${resource}<br>
<span class="soft">sends you back to ${redirectHost} · allowed ${day(createdAt)} · last used ${day(lastUsedAt)}</span></p>
${form(formToken, id, 'End')}
</li>`;

const form = (formToken: string, grant: string, label: string): Html => html`<form method="post" action="${agentsPath}">
<input type="hidden" name="form_token" value="${formToken}">
<button class="plain" name="grant" value="${grant}">${label}</button>
</form>`;

const day = (date: Date): string => date.toISOString().slice(0, 10);
