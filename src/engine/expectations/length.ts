import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { requireColumn } from '../transforms/step.js';
import type { ExpectationBinding } from './expectation.js';

const Options = z.strictObject({
  column: z.string().describe('The column; its values count as text.'),
  min: z.int().min(0).optional().describe('Fewest characters (Unicode code points).'),
  max: z.int().min(0).optional().describe('Most characters.'),
});

export const lengthExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'length',
  kind: 'expectation',
  summary: 'Every text has a length between two bounds.',
  options: Options,
  example: { column: 'country', min: 2, max: 2 },
  bind({ column, min, max }) {
    if (min === undefined && max === undefined) throw new SluiceError('INVALID_INPUT', 'Give `min`, `max` or both.');
    const count = (value: string): string => `length(CAST(${value} AS VARCHAR))`;
    const sides = [
      ...(min === undefined ? [] : [`${count(q(column))} < ${min}`]),
      ...(max === undefined ? [] : [`${count(q(column))} > ${max}`]),
    ];
    const words =
      min === max
        ? `exactly ${min}`
        : [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
            .filter(Boolean)
            .join(', ');
    return {
      scope: 'ROW',
      description: `length of ${column}: ${words}`,
      async violation({ relation }) {
        requireColumn(relation.columns, column, ['column']);
        return {
          column,
          sql: `(${sides.join(' OR ')})`,
          message: {
            value: q(column),
            words: (value) => `concat('It has ', ${count(value)}, ' characters; expected: ${words}.')`,
          },
        };
      },
    };
  },
});
