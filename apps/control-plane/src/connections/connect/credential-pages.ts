import type { Person } from '../../identity/person.ts';
import { html } from '../../pages/html.ts';
import { renderPage } from '../../pages/render-page.ts';
import type { CredentialQuestion } from './enter-credentials.service.ts';
import { personLabel } from './person-label.ts';

export interface CredentialForm {
  readonly question: CredentialQuestion;
  readonly person: Person;
  readonly formToken: string;
  readonly link: string;
  /** What was sent before could be no value. */
  readonly isRefused?: boolean;
}

/** Asks a person for a credential of their own: what it is, where it goes, one field. */
export function credentialPage({ question, person, formToken, link, isRefused = false }: CredentialForm): string {
  const { title, description, workspace, server, isHeld } = question;
  const paragraphs = (description ?? '').split(/\n+/).filter((line) => line.trim() !== '');
  const body = html`
${paragraphs.map((line) => html`<p>${line}</p>`)}
<dl>
${server && html`<dt>Asked for by</dt><dd>${server.title}<br><span class="soft">${workspace}/${server.name}</span></dd>`}
${server?.host !== undefined && html`<dt>It is sent to</dt><dd><b>${server.host}</b></dd>`}
<dt>You are logged in as</dt><dd>${personLabel(person)}</dd>
</dl>
${isHeld && html`<p>You have entered one before: this one takes its place.</p>`}
${isRefused && html`<p class="problem">This cannot be used: it is empty, too long, or has line breaks or other signs in it that no header can hold.</p>`}
<form method="post" action="/connect">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="link" value="${link}">
<label>${title}
<input type="password" name="value" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="8192">
</label>
<button>Save</button>
</form>
<p class="soft">Enter it only if you, or an agent that works for you, have just asked for it. The gateway keeps it sealed, sends it with your own calls only, and never shows it to anyone, agents included. You can delete it at any time.</p>
`;
  return renderPage({ title: `Enter your ${title}`, body });
}

export function enteredPage({ title }: CredentialQuestion): string {
  const body = html`
<p>You can return to your chat.</p>
<p>Your ${title} is kept for your own calls.</p>
<p class="soft">If your agent does not go on by itself, ask it to try again. You can close this page.</p>
`;
  return renderPage({ title: 'Saved', body });
}
