import type { Person } from '../../identity/person.ts';
import { type Html, html } from '../../pages/html.ts';
import { renderPage } from '../../pages/render-page.ts';
import { interactionPath } from '../provider-configuration.ts';
import { baseScope } from '../resource-servers.ts';
import type { LoginFlow } from './login-flow.ts';

export interface FlowForm {
  readonly flow: LoginFlow;
  readonly formToken: string;
  /** Who is logged in. */
  readonly person: Person | undefined;
}

/** Which application asks for what, before anyone logs in for it. */
export function consentPage({ flow, formToken, person }: FlowForm, agentsUrl: string): string {
  const { client, server, audience } = flow;
  const body = html`
<p><b>“${client.name}”</b> wants to use <b>${server.title}</b> in your name.</p>
<p class="soft">${reputation(flow)}</p>
<dl>
<dt>You are sent back to</dt><dd><b>${client.redirectHost}</b>${client.isLocal && html` <span class="soft">(a program on your own device)</span>`}</dd>
<dt>Server</dt><dd>${server.workspace}/${server.name}<br><span class="soft">${audience}</span></dd>
<dt>What it may do</dt><dd>${permissions(flow)}</dd>
${person && html`<dt>You are logged in as</dt><dd>${nameOf(person)} · <a href="${otherAccountPath(flow)}">Use another account</a></dd>`}
</dl>
${form({ flow, formToken, person }, html`<button name="decision" value="allow">Continue</button><button class="plain" name="decision" value="deny">Cancel</button>`)}
<p class="soft">${person ? '' : 'You log in on the next page. '}Continue only if you have just started this login yourself. You can take it back at any time, at ${agentsUrl}.</p>
`;
  return renderPage({ title: 'Allow this application?', body });
}

/** Someone is logged in, and it is not enough. */
export function refusalPage({ flow, formToken, person }: FlowForm, why: 'not-allowed' | 'wrong-provider'): string {
  const { client, server } = flow;
  const text = why === 'not-allowed' ? 'This account may not use it. Whoever administers the gateway can change that.' : 'It is for accounts of another identity provider.';
  const body = html`
<p>You cannot use <b>${server.title}</b>${person && html` as <b>${nameOf(person)}</b>`}. ${text}</p>
<p><a class="button" href="${otherAccountPath(flow)}">Log in with another account</a></p>
${form({ flow, formToken, person }, html`<button class="plain" name="decision" value="deny">Back to “${client.name}”</button>`)}
`;
  return renderPage({ title: 'You have no access', body });
}

/** After a form. Browsers hold the redirects after a form to its page's policy, and the way on may lead to a program's own scheme. */
export const onwardPage = (path: string): string => renderPage({ title: 'One moment', continueTo: path, body: html`<p><a class="button" href="${path}">Continue</a></p>` });

/** Who stands for the name. */
function reputation({ client }: LoginFlow): string {
  if (client.isRegistered) return 'Whoever administers this gateway has registered the application.';
  if (client.publishedAt === undefined) return 'The application chose this name itself. Nobody has checked it.';
  const published = `The application is described at ${client.publishedAt}.`;
  return client.isLocal ? `${published} Any program on your device could claim to be it.` : published;
}

const permissions = ({ scopes, server }: LoginFlow): Html => html`<ul>
<li>Call the tools of this server that you may call</li>
${scopes.filter((scope) => scope !== baseScope && server.scopes.includes(scope)).map((scope) => html`<li>${scope}</li>`)}
</ul>`;

const nameOf = ({ name, email }: Person): string => (email === undefined || email === name ? name : `${name} (${email})`);

const otherAccountPath = ({ uid }: LoginFlow): string => `${interactionPath(uid)}/other-account`;

const form = ({ flow: { uid }, formToken, person }: FlowForm, buttons: Html): Html => html`
<form method="post" action="${interactionPath(uid)}">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="person" value="${person?.id ?? ''}">
${buttons}
</form>
`;
