import { z } from 'zod';

/** What is allowed in a document and yet worth a second look. */
export const warning = z.object({ code: z.string(), pointer: z.string(), detail: z.string() }).meta({ id: 'Warning' });

export type Warning = z.output<typeof warning>;
