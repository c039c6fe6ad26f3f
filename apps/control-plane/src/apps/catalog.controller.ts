import { type CatalogEntry, catalogEntry } from '@gatehouse/app-catalog';
import { GatewayError } from '@gatehouse/errors';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { createZodDto, ZodResponse } from 'nestjs-zod';
import { z } from 'zod';
import { Allow } from '../http/allow.ts';
import { type Catalog, catalogToken } from './catalog.ts';

class CatalogEntryOutput extends createZodDto(catalogEntry) {}
class CatalogOutput extends createZodDto(z.object({ items: z.array(catalogEntry) }).meta({ id: 'Catalog' })) {}

/** Public facts, the same for everyone. */
@ApiTags('catalogue')
@Controller('v1/catalog')
@Allow('member')
export class CatalogController {
  readonly #catalog: Catalog;

  constructor(@Inject(catalogToken) catalog: Catalog) {
    this.#catalog = catalog;
  }

  @Get()
  @ApiOperation({ summary: 'List the providers that apps can be registered at without looking anything up' })
  @ZodResponse({ status: 200, description: 'Every provider of this release, by title.', type: CatalogOutput })
  listCatalog(): { items: CatalogEntry[] } {
    return { items: [...this.#catalog.values()] };
  }

  @Get(':provider')
  @ApiOperation({ summary: 'Read a provider of the catalogue' })
  @ZodResponse({ status: 200, description: 'The provider.', type: CatalogEntryOutput })
  readCatalogEntry(@Param('provider') id: string): CatalogEntry {
    const entry = this.#catalog.get(id);
    if (!entry) throw new GatewayError('not_found', { detail: 'provider of the catalogue' });
    return entry;
  }
}
