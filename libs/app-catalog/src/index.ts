export { type CatalogEntry, catalogEntry, type CatalogVariable } from './catalog-entry.ts';
export { loadCatalog } from './load-catalog.ts';
export { type AppDefinition, type AppResolution, resolveApp } from './resolve-app.ts';
export type { ResolvedApp, Revocation } from './resolved-app.ts';
