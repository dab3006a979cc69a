import { z } from 'zod';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { requireColumn } from '../transforms/step.js';
import type { ExpectationBinding } from './expectation.js';

const Options = z.strictObject({ column: z.string().describe('The column.') });

export const notNullExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'notNull',
  kind: 'expectation',
  summary: 'The column has a value in every row.',
  options: Options,
  example: { column: 'customer_email' },
  bind: ({ column }) => ({
    scope: 'ROW',
    description: `${column} is not null`,
    async violation({ relation }) {
      requireColumn(relation.columns, column, ['column']);
      return { column, sql: `${q(column)} IS NULL`, message: `'There is no value.'` };
    },
  }),
});
