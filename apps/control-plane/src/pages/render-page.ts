import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { pageStyle } from './page-style.ts';

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** A path of ours where the browser goes by itself. */
  readonly continueTo?: string;
}

const style = new Html(`<style>${pageStyle}</style>`);
const styleHash = createHash('sha256').update(pageStyle, 'utf8').digest('base64');

/** A whole page: no script, no other file. */
export function renderPage({ title, body, continueTo }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${continueTo !== undefined && html`<meta http-equiv="refresh" content="0; url=${continueTo}">`}
<title>${title} · Gatehouse</title>
${style}
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.toString();
}

/**
 * What every page is sent with: nothing but its own style runs or loads, nobody frames it, nobody keeps it.
 * `formTargets` are origins to which the answer to a form may redirect, besides ourselves: browsers hold redirects to it too.
 */
export function pageHeaders(formTargets: readonly string[] = []): Record<string, string> {
  const policy = ["default-src 'none'", `style-src 'sha256-${styleHash}'`, `form-action ${["'self'", ...formTargets].join(' ')}`, "frame-ancestors 'none'", "base-uri 'none'"];
  return { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy.join('; '), 'X-Frame-Options': 'DENY', 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' };
}
