import { z } from 'zod';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { Relation, ROW_NUMBER } from '../relation.js';
import { requireColumn, requireDistinct, type StepBinding } from './step.js';

const Options = z.strictObject({
  keys: z.array(z.string()).min(1).max(100).describe('Columns that make two rows the same; null equals null.'),
  keep: z.enum(['FIRST', 'LAST']).default('FIRST').describe('Which row of the same key stays.'),
  orderBy: z
    .string()
    .optional()
    .describe('Column that says what is first and last. Default and tie-break: the order of the source.'),
});

export const deduplicateStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'deduplicate',
  kind: 'step',
  summary: 'Keeps one row of each key over the whole data set. The others are counted as deduplicated.',
  options: Options,
  example: { keys: ['id'], keep: 'LAST', orderBy: 'updated_at' },
  bind: ({ keys, keep, orderBy }) => ({
    scope: 'GLOBAL',
    missingRows: 'DEDUPLICATED',
    async rebuild({ table, columns, hidden, raw }) {
      requireDistinct(keys, ['keys']);
      for (const [i, key] of keys.entries()) requireColumn(columns, key, ['keys', i]);
      if (orderBy !== undefined) requireColumn(columns, orderBy, ['orderBy']);
      const direction = keep === 'FIRST' ? 'ASC' : 'DESC';
      // Nulls come last either way: a row without an order value never wins against one with it.
      const order = [
        ...(orderBy === undefined ? [] : [`${q(orderBy)} ${direction} NULLS LAST`]),
        `${q(ROW_NUMBER)} ${direction}`,
      ];
      return new Relation(keepOne(table, keys, order), columns, hidden, raw);
    },
  }),
});

/** Rows of `table` that are first in `order` among those with the same keys. */
export const keepOne = (table: string, keys: readonly string[], order: readonly string[]): string =>
  `SELECT * FROM ${table} QUALIFY row_number() OVER (PARTITION BY ${keys.map(q).join(', ')} ORDER BY ${order.join(', ')}) = 1`;
