import { z } from 'zod';
import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { aboutValue } from '../relation.js';
import { requireColumn } from '../transforms/step.js';
import type { ExpectationBinding } from './expectation.js';

const Options = z.strictObject({
  column: z.string().describe('The column; its values are compared as text.'),
  values: z.array(z.string()).min(1).max(10_000).describe('The allowed values.'),
});

/** DuckDB makes a join of every IN; a few comparisons cost less, and the optimizer may repeat them at no price. */
const COMPARED_VALUES = 16;

function notAmong(text: string, values: readonly string[]): string {
  if (values.length > COMPARED_VALUES) return `${text} NOT IN (${values.map(quoteLiteral).join(', ')})`;
  return `NOT (${values.map((value) => `${text} = ${quoteLiteral(value)}`).join(' OR ')})`;
}

export const inSetExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'inSet',
  kind: 'expectation',
  summary: 'Every value is one of a set.',
  options: Options,
  example: { column: 'status', values: ['new', 'paid', 'shipped'] },
  bind: ({ column, values }) => ({
    scope: 'ROW',
    description: `${column} in (${values.slice(0, 10).join(', ')}${values.length > 10 ? ', ...' : ''})`,
    async violation({ relation }) {
      requireColumn(relation.columns, column, ['column']);
      const text = `CAST(${q(column)} AS VARCHAR)`;
      return {
        column,
        sql: notAmong(text, values),
        message: aboutValue(q(column), 'is not in the set.'),
      };
    },
  }),
});
