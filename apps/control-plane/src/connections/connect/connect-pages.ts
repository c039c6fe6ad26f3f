import type { Person } from '../../identity/person.ts';
import { type Html, html } from '../../pages/html.ts';
import { renderPage } from '../../pages/render-page.ts';
import type { ConnectQuestion } from './connect-flows.service.ts';
import type { ConnectRefusal, RefusalReason } from './connect-refusal.ts';
import { personLabel } from './person-label.ts';

export interface QuestionForm {
  readonly question: ConnectQuestion;
  readonly person: Person;
  readonly formToken: string;
  readonly link: string;
  readonly otherAccountPath: string;
}

/** What is going to be connected to what, before anybody is sent to a provider. */
export function questionPage({ question, person, formToken, link, otherAccountPath }: QuestionForm): string {
  const { title, workspace, server, isShared, allScopes, authorizationUrl, tokenUrl, issuer } = question;
  const body = html`
<p>${isShared ? html`<b>Everyone who may use it</b> will work in <b>${title}</b> with the account that you connect now.` : html`Your agents will work in <b>${title}</b> with your own account there.`}</p>
<dl>
${server && html`<dt>Asked for by</dt><dd>${server.title}<br><span class="soft">${workspace}/${server.name}</span></dd>`}
<dt>You agree to it at</dt><dd><b>${new URL(authorizationUrl).host}</b>${issuer !== undefined && html`<br><span class="soft">${issuer}</span>`}</dd>
<dt>The gateway gets the access from</dt><dd>${new URL(tokenUrl).host}</dd>
${allScopes.length > 0 && html`<dt>What is asked for</dt><dd><ul>${allScopes.map((scope) => html`<li>${scope}</li>`)}</ul></dd>`}
<dt>You are logged in as</dt><dd>${personLabel(person)}${isShared && html` · <a href="${otherAccountPath}">Use another account</a>`}</dd>
</dl>
<form method="post" action="/connect">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="link" value="${link}">
<button>Connect</button>
</form>
<p class="soft">Connect only if you, or an agent that works for you, have just asked for it. The gateway keeps the access and never shows it to agents. You can disconnect at any time.</p>
`;
  return renderPage({ title: `Connect ${title}?`, body });
}

/** After the form: a page and not a redirect, which browsers would hold to the form's policy. */
export const onwardPage = (title: string, url: URL): string =>
  renderPage({ title: 'One moment', continueTo: url.href, body: html`<p>You go on at ${url.host}.</p><p><a class="button" href="${url.href}">Continue to ${title}</a></p>` });

export interface DonePage {
  readonly title: string;
  readonly account: string | undefined;
  readonly scopes: readonly string[];
  readonly isComplete: boolean;
}

export function donePage({ title, account, scopes, isComplete }: DonePage): string {
  const body = html`
<p>You can return to your chat.</p>
<p>${title} is connected${account !== undefined && html` as <b>${account}</b>`}.</p>
${!isComplete && html`<p class="problem">${title} gave less than was asked for, so that some tools may not work. It gave: ${scopes.length === 0 ? 'nothing by name' : scopes.join(', ')}.</p>`}
<p class="soft">If your agent does not go on by itself, ask it to try again. You can close this page.</p>
`;
  return renderPage({ title: 'Connected', body });
}

interface RefusalText {
  readonly status: number;
  readonly title: string;
  readonly text: (app: string) => string;
  readonly next?: string;
}

const newLink = 'Ask your agent again: it gets a new link. It works for ten minutes, once.';
const administrator = 'Whoever administers the gateway can help: show them this page.';

/** Each is explained in docs/connections.md. */
export const refusalTexts: Readonly<Record<RefusalReason, RefusalText>> = {
  link_unknown: { status: 410, title: 'This link is not good', text: () => 'It is not one that this gateway made, or it was cut off or changed on its way.', next: newLink },
  link_expired: { status: 410, title: 'This link has expired', text: () => 'Links work for ten minutes.', next: newLink },
  link_used: { status: 410, title: 'This link was used already', text: () => 'A link works once. If you connected with it, you can return to your chat.', next: newLink },
  other_person: { status: 403, title: 'This link is for somebody else', text: () => 'It works only for the person it was made for, so nothing was connected. If that is you, log in with your other account.' },
  not_an_administrator: {
    status: 403, title: 'An administrator has to do this', text: (app) => `One account of ${app} serves everyone here. Only an administrator connects it.`, next: 'Give the link to an administrator, or log in as one.',
  },
  owner_gone: { status: 410, title: 'There is nothing to connect any more', text: () => 'The app, the credential or the server was deleted or changed meanwhile.', next: newLink },
  state_unknown: {
    status: 400, title: 'This step is over', text: () => 'It was begun too long ago, in another browser or by somebody else, or it is finished already. Nothing was connected by opening this page.', next: newLink,
  },
  other_issuer: { status: 400, title: 'The answer came from somewhere else', text: (app) => `It does not say that it is from ${app}, so it was not used. Nothing was connected.`, next: newLink },
  denied: { status: 403, title: 'Not connected', text: (app) => `You, or the rules of your organisation at ${app}, did not agree. Nothing was connected.`, next: newLink },
  refused_by_provider: { status: 502, title: 'The provider refused', text: (app) => `${app} did not accept what the gateway asks for. Nothing was connected.`, next: administrator },
  code_refused: { status: 502, title: 'The provider refused', text: (app) => `${app} did not accept its own answer again, or took too long. Nothing was connected.`, next: newLink },
  misconfigured: { status: 502, title: 'The app is not set up right', text: (app) => `${app} does not accept the gateway as it is registered there. Nothing was connected.`, next: administrator },
  provider_unavailable: { status: 503, title: 'The provider does not answer', text: (app) => `${app} cannot be reached at the moment. Nothing was connected.`, next: 'Try again in a few minutes; if this link does not work any more, your agent gets a new one.' },
  cannot_register: { status: 502, title: 'An administrator has to register an app', text: (app) => `${app} does not let the gateway register by itself.`, next: administrator },
  cannot_discover: { status: 502, title: 'The server does not say where to log in', text: (app) => `What ${app} says about its authorization cannot be used.`, next: administrator },
};

export const statusOf = ({ reason }: ConnectRefusal): number => refusalTexts[reason].status;

/** Why nothing was connected, and what to do. */
export function refusalPage({ reason, details: { app = 'The provider', words, facts = {} } }: ConnectRefusal, otherAccountPath: string | undefined, requestId: string): string {
  const { title, text, next } = refusalTexts[reason];
  const entries = Object.entries(facts);
  const body = html`
<p class="problem">${text(app)}</p>
${words !== undefined && html`<p>${app} says: <q>${words}</q></p>`}
${next !== undefined && html`<p>${next}</p>`}
${entries.length > 0 && html`<dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`}
${otherAccountPath !== undefined && accountLink(otherAccountPath)}
<p class="soft">${reason} · ${requestId}</p>
`;
  return renderPage({ title, body });
}

const accountLink = (path: string): Html => html`<p><a class="button plain" href="${path}">Log in with another account</a></p>`;
