import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { requireColumn, type StepBinding } from './step.js';

const Options = z.strictObject({ columns: z.array(z.string()).min(1).max(2_000).describe('Columns to drop.') });

export const dropStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'drop',
  kind: 'step',
  summary: 'Drops the named columns.',
  options: Options,
  example: { columns: ['internal_note'] },
  bind: ({ columns }) => ({
    scope: 'ROW',
    async apply({ relation }) {
      for (const [i, name] of columns.entries()) requireColumn(relation.columns, name, ['columns', i]);
      const kept = relation.columns.filter((column) => !columns.includes(column.name));
      if (kept.length === 0) {
        throw new SluiceError('INVALID_INPUT', 'This would drop every column; keep at least one.', {
          path: ['columns'],
        });
      }
      relation.project(kept.map((column) => ({ ...column, sql: q(column.name) })));
    },
  }),
});
