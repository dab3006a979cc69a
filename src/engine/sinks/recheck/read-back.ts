import { z } from 'zod';

/** How rows of a table can be read back and held against lines. */
export const readBack = z.object({
  /** Of each column of the parts, in order. */
  columns: z.array(
    z.object({
      /** The type of its values without length, precision or domain, so that what those change shows. */
      type: z.string(),
      /** Whether the type has an equality; values of the others are compared as text. */
      comparable: z.boolean(),
      /** Whether a difference in it is none. */
      ignored: z.boolean().default(false),
    }),
  ),
  /** Columns of a unique index of the target; empty when none is among the columns of the parts. */
  key: z.array(z.string()),
});

export type ReadBack = z.infer<typeof readBack>;
