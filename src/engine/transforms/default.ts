import { z } from 'zod';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { constantOf } from './constant.js';
import { requireColumn, requireDistinct, type StepBinding } from './step.js';

const Options = z.strictObject({
  columns: z
    .array(
      z.strictObject({
        name: z.string().describe('The column.'),
        value: z.unknown().describe('Value that replaces null; has to fit the type of the column.'),
      }),
    )
    .min(1)
    .max(2_000)
    .describe('Columns and what replaces null in them.'),
});

export const defaultStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'default',
  kind: 'step',
  summary: 'Replaces null by a value.',
  options: Options,
  example: { columns: [{ name: 'country', value: 'DE' }] },
  bind: ({ columns }) => ({
    scope: 'ROW',
    async apply({ session, relation }) {
      requireDistinct(
        columns.map((c) => c.name),
        ['columns'],
      );
      const changes = [];
      for (const [i, { name, value }] of columns.entries()) {
        const column = requireColumn(relation.columns, name, ['columns', i, 'name']);
        const constant = await constantOf(session, value, column.type, ['columns', i, 'value']);
        changes.push({ name, type: column.type, sql: `coalesce(${q(name)}, ${constant})` });
      }
      relation.replace(changes);
    },
  }),
});
