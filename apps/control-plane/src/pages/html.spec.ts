import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { html } from './html.ts';
import { pageHeaders, renderPage } from './render-page.ts';

test('what is filled in is text, whatever it holds', () => {
  const name = `<script>"x" & 'y'</script>`;
  expect(html`<b title="${name}">${name}</b>`.toString()).toBe(
    '<b title="&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;">&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;</b>',
  );
});

test('markup stays markup, lists are joined, what is absent is nothing', () => {
  expect(html`<ul>${['<a>', 'b'].map((item) => html`<li>${item}</li>`)}${undefined}${false}${0}</ul>`.toString()).toBe('<ul><li>&lt;a&gt;</li><li>b</li>0</ul>');
});

test('a page holds no script, and its policy allows exactly its style', () => {
  const page = renderPage({ title: '<Hello>', body: html`<p>there</p>`, continueTo: '/next?a=1&b="2"' });
  expect(page).not.toMatch(/<script|<link|src=|\son\w+=/);
  expect(page).toContain('<h1>&lt;Hello&gt;</h1>');
  expect(page).toContain('content="0; url=/next?a=1&amp;b=&quot;2&quot;"');
  const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
  expect(pageHeaders(['https://a.example'])['Content-Security-Policy']).toBe(
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; form-action 'self' https://a.example; frame-ancestors 'none'; base-uri 'none'`,
  );
});
