import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { defineComponent } from '../component.js';
import { bindExpression, type StepBinding } from './step.js';

const Options = z.strictObject({
  expression: z
    .string()
    .min(1)
    .max(20_000)
    .describe('SQL condition; rows for which it is true stay, false and null go.'),
});

export const filterStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'filter',
  kind: 'step',
  summary: 'Keeps the rows for which a condition is true. The others are counted as filtered.',
  options: Options,
  example: { expression: "country = 'DE' AND quantity > 0" },
  bind: ({ expression }) => ({
    scope: 'ROW',
    async apply(context) {
      const { sql, type } = await bindExpression(context, expression, ['expression']);
      if (type !== 'BOOLEAN') {
        throw new SluiceError('EXPRESSION_INVALID', `The condition has to be true or false; this one is ${type}.`, {
          path: ['expression'],
        });
      }
      // A condition that fails for a row (a bad conversion) must not stop all others: the row is bad.
      context.relation.check({
        column: null,
        code: 'EXPRESSION_FAILED',
        violation: `TRY(struct_pack(v := ${sql})) IS NULL`,
        message: `'The condition of a filter step fails for this row.'`,
      });
      context.relation.filter(`TRY(${sql})`);
    },
  }),
});
