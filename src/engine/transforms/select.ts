import { z } from 'zod';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { requireColumn, requireDistinct, type StepBinding } from './step.js';

const Options = z.strictObject({
  columns: z.array(z.string()).min(1).max(2_000).describe('Columns to keep, in the order they shall have.'),
});

export const selectStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'select',
  kind: 'step',
  summary: 'Keeps the named columns, in that order, and drops the others.',
  options: Options,
  example: { columns: ['id', 'name'] },
  bind: ({ columns }) => ({
    scope: 'ROW',
    async apply({ relation }) {
      requireDistinct(columns, ['columns']);
      const kept = columns.map((name, i) => requireColumn(relation.columns, name, ['columns', i]));
      relation.project(kept.map((column) => ({ ...column, sql: q(column.name) })));
    },
  }),
});
