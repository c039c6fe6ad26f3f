import type { Problem } from '@gatehouse/errors';
import { html, type Html } from '../../pages/html.ts';
import { renderPage } from '../../pages/render-page.ts';
import type { LoginOptions } from '../browser-sessions.service.ts';

export interface OfferedProvider {
  readonly name: string;
  readonly title: string;
}

/** What every form brings along. */
export interface FormState {
  readonly formToken: string;
  readonly returnTo: string;
}

const query = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();

export const startPath = (provider: string, returnTo: string, fresh: LoginOptions['fresh']): string =>
  `/login/start/${encodeURIComponent(provider)}?${query({ return_to: returnTo, ...(fresh !== undefined && { fresh }) })}`;

const localPath = (returnTo: string): string => `/login/local?${query({ return_to: returnTo })}`;

/** Where someone could log in at several places. */
export function choosePage(providers: readonly OfferedProvider[], isLocalOffered: boolean, returnTo: string, fresh: LoginOptions['fresh']): string {
  const body = html`
<p>Where do you have your account?</p>
${providers.map(({ name, title }) => html`<a class="button" href="${startPath(name, returnTo, fresh)}">${title}</a>`)}
${isLocalOffered && html`<a class="button plain" href="${localPath(returnTo)}">Account of this gateway</a>`}
`;
  return renderPage({ title: 'Log in', body });
}

export function localPage({ formToken, returnTo }: FormState, problem?: string, email = ''): string {
  const body = html`
${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
<form method="post" action="/login/local">
${hidden({ form_token: formToken, return_to: returnTo })}
<label>E-mail <input name="email" type="email" autocomplete="username" required autofocus value="${email}"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
`;
  return renderPage({ title: 'Log in', body });
}

export interface LinkForm {
  readonly formToken: string;
  readonly token: string;
  /** Of whom the link is for; the first administrator says it. */
  readonly email: string | undefined;
}

export function linkPage({ formToken, token, email }: LinkForm, problems: readonly Problem[] = [], sentEmail = ''): string {
  const body = html`
<p>${email === undefined ? 'Set up the first administrator of this gateway.' : 'Set your password.'} The link works once.</p>
${problems.map(({ detail }) => html`<p class="problem" role="alert">${detail}</p>`)}
<form method="post" action="/login/link">
${hidden({ form_token: formToken, token })}
${emailField(email, sentEmail)}
<label>New password, at least 12 characters <input name="password" type="password" autocomplete="new-password" minlength="12" required></label>
<button>Set password and log in</button>
</form>
`;
  return renderPage({ title: email === undefined ? 'Welcome' : 'Your password', body });
}

const emailField = (email: string | undefined, sent: string): Html =>
  email === undefined
    ? html`<label>E-mail <input name="email" type="email" autocomplete="username" required autofocus value="${sent}"></label>`
    : html`<label>E-mail <input name="email" type="email" autocomplete="username" readonly value="${email}"></label>`;

/**
 * After a form. A redirect would do, were it not that browsers hold the redirects after it to the page's `form-action` too, and
 * a login may end at an application on the person's own machine.
 */
export const continuePage = (returnTo: string): string =>
  renderPage({ title: 'You are logged in', continueTo: returnTo, body: html`<p><a class="button" href="${returnTo}">Continue</a></p>` });

export const noWayInPage = (): string =>
  renderPage({ title: 'Nobody can log in yet', body: html`<p>This gateway has no identity provider, and its own accounts are switched off. An administrator can register a provider.</p>` });

/** Where a server asks for accounts of a provider that was renamed, switched off or deleted. */
export const missingProviderPage = (): string =>
  renderPage({
    title: 'No way to log in there',
    body: html`<p>You were asked for an account of an identity provider that this gateway does not know, or that is switched off. You can do nothing about it: tell whoever runs the server that you wanted to use.</p>`,
  });

export function logoutPage(formToken: string, name: string): string {
  const body = html`
<p>You are logged in as ${name}.</p>
<form method="post" action="/logout">
${hidden({ form_token: formToken })}
<button>Log out</button>
</form>
`;
  return renderPage({ title: 'Log out', body });
}

export const loggedOutPage = (): string =>
  renderPage({ title: 'You are logged out', body: html`<p>Agents that you connected go on. Your identity provider may still know you.</p><p><a class="button plain" href="/login">Log in again</a></p>` });

const hidden = (fields: Readonly<Record<string, string>>): Html[] => Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
