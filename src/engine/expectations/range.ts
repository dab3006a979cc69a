import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { constantOf } from '../transforms/constant.js';
import { requireColumn } from '../transforms/step.js';
import type { ExpectationBinding } from './expectation.js';

const Bound = z.union([z.number(), z.bigint(), z.string()]);

const Options = z.strictObject({
  column: z.string().describe('The column: a number, date, time or text.'),
  min: Bound.optional().describe('Least value; text such as `2026-01-01` for dates.'),
  max: Bound.optional().describe('Greatest value.'),
  minExclusive: z.boolean().default(false).describe('Whether `min` itself is too small.'),
  maxExclusive: z.boolean().default(false).describe('Whether `max` itself is too large.'),
});

export const rangeExpectation = defineComponent<z.infer<typeof Options>, ExpectationBinding>({
  name: 'range',
  kind: 'expectation',
  summary: 'Every value lies between two bounds.',
  options: Options,
  example: { column: 'quantity', min: 1, max: 100 },
  bind(options) {
    const { column, min, max, minExclusive, maxExclusive } = options;
    if (min === undefined && max === undefined) throw new SluiceError('INVALID_INPUT', 'Give `min`, `max` or both.');
    const parts = [
      ...(min === undefined ? [] : [`${minExclusive ? '>' : '>='} ${min}`]),
      ...(max === undefined ? [] : [`${maxExclusive ? '<' : '<='} ${max}`]),
    ];
    return {
      scope: 'ROW',
      description: `${column} ${parts.join(' and ')}`,
      async violation({ session, relation }) {
        const { type } = requireColumn(relation.columns, column, ['column']);
        if (type === 'VARCHAR' && [min, max].some((bound) => typeof bound === 'number' || typeof bound === 'bigint')) {
          throw new SluiceError(
            'INVALID_INPUT',
            `"${column}" is text; cast it to a number before, or give the bounds as text.`,
            { path: ['column'] },
          );
        }
        // A bound may have digits that the column's own type would round away.
        const isNumber = /^(DECIMAL|.*INT)/.test(type);
        const boundType = (bound: unknown): string =>
          isNumber ? (/^[+-]?\d{1,18}$/.test(String(bound)) ? 'BIGINT' : 'DECIMAL(38,10)') : type;
        const sides: string[] = [];
        if (min !== undefined)
          sides.push(
            `${q(column)} ${minExclusive ? '<=' : '<'} ${await constantOf(session, min, boundType(min), ['min'])}`,
          );
        if (max !== undefined)
          sides.push(
            `${q(column)} ${maxExclusive ? '>=' : '>'} ${await constantOf(session, max, boundType(max), ['max'])}`,
          );
        return {
          column,
          sql: `(${sides.join(' OR ')})`,
          message: {
            value: q(column),
            words: (value) =>
              `concat(CAST(${value} AS VARCHAR), ' is out of range (${parts.join(' and ').replaceAll("'", "''")}).')`,
          },
        };
      },
    };
  },
});
