import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { bindExpression } from '../transforms/step.js';
import type { ExpectationBinding } from './expectation.js';

const Options = z.strictObject({
  expression: z.string().min(1).max(20_000).describe('SQL condition over one row; false breaks it, null does not.'),
  description: z.string().max(200).optional().describe('What is expected, for people. Default: the expression.'),
});

export const expressionExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'expression',
  kind: 'expectation',
  summary: 'A condition over the columns of one row holds.',
  options: Options,
  example: { expression: 'shipped_at IS NULL OR shipped_at >= created_at' },
  bind({ expression, description }) {
    const words = description ?? expression;
    return {
      scope: 'ROW',
      description: words,
      async violation(context) {
        const { sql, type } = await bindExpression(context, expression, ['expression']);
        if (type !== 'BOOLEAN') {
          throw new SluiceError('EXPRESSION_INVALID', `The condition has to be true or false; this one is ${type}.`, {
            path: ['expression'],
          });
        }
        // A condition that fails for a row (a bad conversion) is broken by it.
        return {
          column: null,
          sql: `coalesce(NOT (TRY(struct_pack(v := ${sql}))).v, TRY(struct_pack(v := ${sql})) IS NULL)`,
          message: quoteLiteral(`Expected: ${words.slice(0, 300)}`),
        };
      },
    };
  },
});
