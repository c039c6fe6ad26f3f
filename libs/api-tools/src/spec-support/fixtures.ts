import { readdirSync, readFileSync } from 'node:fs';
import { type ImportedApi, importOpenApi } from '../openapi/import-openapi.ts';
import { readApiDocument } from '../read-api-document.ts';

const folder = new URL('../../fixtures/', import.meta.url);

export const fixtureNames: readonly string[] = readdirSync(folder).filter((name) => /\.(json|yaml)$/.test(name)).sort();

export const importFixture = (name: string): ImportedApi => importOpenApi(readApiDocument(readFileSync(new URL(name, folder), 'utf8')));
