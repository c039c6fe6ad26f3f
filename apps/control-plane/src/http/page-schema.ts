import { z } from 'zod';

/** A page of a list. */
export const pageSchema = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().optional().meta({ description: 'Send it as `cursor` for the next page; absent on the last one.' }),
  });
