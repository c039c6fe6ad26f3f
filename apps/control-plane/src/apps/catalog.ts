import { type CatalogEntry, loadCatalog } from '@gatehouse/app-catalog';
import type { FactoryProvider } from '@nestjs/common';

/** The providers that are known, by id. */
export type Catalog = ReadonlyMap<string, CatalogEntry>;

/** Under which Nest injects it. */
export const catalogToken = Symbol('catalog');

/** Read once, at the start: the files are part of the program. */
export const catalogProvider: FactoryProvider = { provide: catalogToken, useFactory: loadCatalog };
