import { readFile } from 'node:fs/promises';
import { type CatalogEntry, loadCatalog } from '@gatehouse/app-catalog';
import { readableApp } from '@gatehouse/gateway-config';
import { expect, it } from 'vitest';

const text = await readFile(new URL('../../docs/apps.md', import.meta.url), 'utf8');

function rowOf({ id, title, variables, pkce, refresh, revocation }: CatalogEntry): string {
  const named = variables.map(({ name, default: preset }) => `\`${name}\`${preset === undefined ? '' : ` (\`${preset}\`)`}`).join(', ');
  const days = refresh.idleDays === undefined ? '' : `, ${refresh.idleDays} days`;
  return `| \`${id}\` | ${title} | ${named} | ${pkce} | ${refresh.issued}${days} | ${revocation} |`;
}

it('the table of the catalogue is the catalogue', () => {
  const rows = text.slice(text.indexOf('## The catalogue')).split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual([...loadCatalog().values()].map(rowOf));
});

it('the fields of an app are all there', () => {
  const readOnly = ['kind', 'id', 'workspace', 'redirectUri', 'revision', 'createdAt', 'updatedAt', 'warnings', 'name', 'title'];
  for (const field of Object.keys(readableApp.shape)) if (!readOnly.includes(field)) expect(text, field).toMatch(new RegExp(`^\\| .*\`${field}\`.* \\|`, 'm'));
});
