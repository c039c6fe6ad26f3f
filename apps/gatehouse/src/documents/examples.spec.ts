import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Environment } from '../environment.ts';
import { checkDocuments } from './check-documents.ts';
import { readDocuments } from './read-documents.ts';

const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url));
const everyVariable: Environment = new Proxy({}, { get: () => 'a-value' });

it.each(readdirSync(examples).filter((file) => !file.endsWith('.md')))('examples/%s can be applied', async (file) => {
  const documents = await checkDocuments(await readDocuments([`${examples}${file}`]), everyVariable);
  expect(documents.length).toBeGreaterThan(0);
});
