import type { errors, ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { html } from '../pages/html.ts';
import { pageHeaders, renderPage } from '../pages/render-page.ts';

interface Explanation {
  readonly title: string;
  readonly text: string;
}

const startAgain = 'Go back to the application you came from and start the login there again.';

/** By OAuth error code; what a person can do about it. */
const explanations: Readonly<Record<string, Explanation>> = {
  invalid_client: { title: 'This application is not known here', text: 'It may have been registered long ago, or its description cannot be fetched at the moment. Remove the connection in the application and add it again.' },
  invalid_redirect_uri: { title: 'This link is not safe to follow', text: 'The application asked to be answered at an address that it has not registered. Nothing was sent there.' },
  invalid_client_metadata: { title: 'This application cannot be connected', text: 'What it says of itself is not valid.' },
  server_error: { title: 'Something went wrong', text: 'This is not your fault. Try again in a moment.' },
};

/** An error that cannot be sent to the client, on a page; programs that prefer JSON get that (RFC 6749 section 5.2). */
export function renderOAuthError(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error | errors.OIDCProviderError): void {
  if (ctx.accepts('html', 'json') === 'json') {
    ctx.body = out;
    return;
  }
  const isOver = error.name === 'SessionNotFound';
  const { title, text } = isOver ? { title: 'This login has expired', text: startAgain } : (explanations[out.error] ?? { title: 'This request is not valid', text: startAgain });
  const body = html`<p>${text}</p><p class="soft">${out.error}${!isOver && out.error_description !== undefined && `: ${out.error_description}`}</p>`;
  ctx.set(pageHeaders());
  ctx.body = renderPage({ title, body });
}
