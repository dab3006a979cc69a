import { z } from 'zod';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { requireColumn, requireDistinct, requireNewName, type StepBinding } from './step.js';

const Options = z.strictObject({
  columns: z
    .array(z.strictObject({ from: z.string().describe('Present name.'), to: z.string().describe('New name.') }))
    .min(1)
    .max(2_000)
    .describe('The renames; all at once, so that two names can be swapped.'),
});

export const renameStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'rename',
  kind: 'step',
  summary: 'Renames columns.',
  options: Options,
  example: { columns: [{ from: 'customer_email', to: 'email' }] },
  bind: ({ columns }) => ({
    scope: 'ROW',
    async apply({ relation }) {
      requireDistinct(
        columns.map((c) => c.from),
        ['columns'],
      );
      const names = new Map<string, string>();
      for (const [i, { from, to }] of columns.entries()) {
        requireColumn(relation.columns, from, ['columns', i, 'from']);
        requireNewName(to, ['columns', i, 'to']);
        names.set(from, to);
      }
      const outputs = relation.columns.map((c) => ({
        name: names.get(c.name) ?? c.name,
        sql: q(c.name),
        type: c.type,
      }));
      requireDistinct(
        outputs.map((o) => o.name),
        ['columns'],
      );
      relation.project(outputs);
    },
  }),
});
