import { z } from 'zod';
import type { Page } from '../http/page.ts';
import { pageSchema } from '../http/page-schema.ts';
import { type UnreadableServer, unreadableServer } from './unreadable-server.ts';

/** A page of what there is to say of servers. One that cannot be read is no reason to show none of them. */
export interface ServerPage<Item> extends Page<Item> {
  readonly unreadable?: UnreadableServer[];
}

export const serverPage = <S extends z.ZodType>(item: S) =>
  pageSchema(item).extend({
    unreadable: z.array(unreadableServer).optional().meta({ description: 'Servers of this page whose stored document this release does not take; absent where there are none.' }),
  });

export function toServerPage<Item>({ items, ...cursor }: Page<{ readonly readable: Item } | { readonly unreadable: UnreadableServer }>): ServerPage<Item> {
  const unreadable = items.flatMap((item) => ('unreadable' in item ? [item.unreadable] : []));
  return { ...cursor, items: items.flatMap((item) => ('readable' in item ? [item.readable] : [])), ...(unreadable.length > 0 && { unreadable }) };
}
