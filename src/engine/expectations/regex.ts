import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { aboutValue } from '../relation.js';
import { requireColumn } from '../transforms/step.js';
import type { ExpectationBinding } from './expectation.js';

const Options = z.strictObject({
  column: z.string().describe('The column; its values are matched as text.'),
  pattern: z
    .string()
    .min(1)
    .max(2_000)
    .describe('RE2 pattern that matches somewhere in the value; anchor it with `^` and `$`.'),
});

export const regexExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'regex',
  kind: 'expectation',
  summary: 'Every value matches a pattern (RE2: linear time, no backreferences).',
  options: Options,
  example: { column: 'customer_email', pattern: '^[^@]+@[^@]+$' },
  bind: ({ column, pattern }) => ({
    scope: 'ROW',
    description: `${column} matches ${pattern}`,
    async violation({ session, relation }) {
      requireColumn(relation.columns, column, ['column']);
      const text = `CAST(${q(column)} AS VARCHAR)`;
      try {
        await session.query(`SELECT regexp_matches('', ${quoteLiteral(pattern)})`);
      } catch (error) {
        session.throwIfStopped();
        throw new SluiceError('EXPRESSION_INVALID', `"${pattern}" is no RE2 pattern.`, {
          path: ['pattern'],
          cause: error,
        });
      }
      return {
        column,
        sql: `NOT regexp_matches(${text}, ${quoteLiteral(pattern)})`,
        message: aboutValue(q(column), 'does not match the pattern.'),
      };
    },
  }),
});
