import { z } from 'zod';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { bindExpression, requireDistinct, requireNewName, type StepBinding } from './step.js';

const Options = z.strictObject({
  column: z.string().describe('Name of the new column; an existing one is replaced in its place.'),
  expression: z.string().min(1).max(20_000).describe('SQL expression over the columns of the same row.'),
});

export const deriveStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'derive',
  kind: 'step',
  summary: 'Computes a column. A row whose expression fails (overflow, bad cast) goes to quarantine.',
  options: Options,
  example: { column: 'total', expression: 'quantity * unit_price' },
  bind: ({ column, expression }) => ({
    scope: 'ROW',
    async apply(context) {
      requireNewName(column, ['column']);
      const { relation } = context;
      const { sql, type } = await bindExpression(context, expression, ['expression']);
      // TRY answers null on an error; inside a struct, that null differs from an expression that is null.
      const [boxed = ''] = relation.addHidden([`TRY(struct_pack(v := ${sql}))`]);
      relation.check({
        column,
        code: 'EXPRESSION_FAILED',
        violation: `${q(boxed)} IS NULL`,
        message: `'The expression of "${column.replaceAll("'", "''")}" fails for this row (overflow, or a value that cannot be converted).'`,
      });
      const value = { name: column, sql: `${q(boxed)}.v`, type };
      if (relation.column(column) !== undefined) return relation.replace([value]);
      requireDistinct([...relation.columns.map((c) => c.name), column], ['column']);
      relation.project([...relation.columns.map((c) => ({ ...c, sql: q(c.name) })), value]);
    },
  }),
});
