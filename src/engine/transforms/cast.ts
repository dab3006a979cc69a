import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { aboutValue } from '../relation.js';
import { applyCasts } from './cast-sql.js';
import { requireColumn, requireDistinct, type StepBinding } from './step.js';

/** Type names of the API and what they are in DuckDB. */
export const CAST_TYPES = {
  BOOLEAN: 'BOOLEAN',
  SMALLINT: 'SMALLINT',
  INTEGER: 'INTEGER',
  BIGINT: 'BIGINT',
  DECIMAL: 'DECIMAL',
  REAL: 'FLOAT',
  DOUBLE: 'DOUBLE',
  TEXT: 'VARCHAR',
  DATE: 'DATE',
  TIME: 'TIME',
  TIMESTAMP: 'TIMESTAMP',
  TIMESTAMPTZ: 'TIMESTAMP WITH TIME ZONE',
  UUID: 'UUID',
  JSON: 'JSON',
  BINARY: 'BLOB',
} as const;

const typeNames = Object.keys(CAST_TYPES) as (keyof typeof CAST_TYPES)[];

const CastColumn = z.strictObject({
  name: z.string().describe('The column.'),
  type: z.enum(typeNames).describe('Type to cast to.'),
  precision: z.int().min(1).max(38).optional().describe('Digits in all, for DECIMAL. Default 18.'),
  scale: z
    .int()
    .min(0)
    .max(38)
    .optional()
    .describe('Digits behind the point, for DECIMAL. Default 3. Further digits are rounded.'),
  format: z
    .string()
    .max(100)
    .optional()
    .describe('strptime format of text to DATE, TIME, TIMESTAMP or TIMESTAMPTZ, e.g. `%d.%m.%Y`. Default: ISO 8601.'),
});

const Options = z.strictObject({ columns: z.array(CastColumn).min(1).max(2_000).describe('Columns and their types.') });

export const castStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'cast',
  kind: 'step',
  summary: 'Gives columns a type. A row with a value that does not fit goes to quarantine; nothing is cut or guessed.',
  options: Options,
  example: {
    columns: [
      { name: 'quantity', type: 'INTEGER' },
      { name: 'unit_price', type: 'DECIMAL', precision: 12, scale: 2 },
    ],
  },
  bind({ columns }) {
    const targets = columns.map((column, i) => ({ ...column, duckType: duckType(column, i) }));
    return {
      scope: 'ROW',
      async apply({ relation }) {
        requireDistinct(
          columns.map((c) => c.name),
          ['columns'],
        );
        applyCasts(
          relation,
          targets.map((target, i) => {
            const { type } = requireColumn(relation.columns, target.name, ['columns', i, 'name']);
            return {
              column: target.name,
              from: type,
              to: target.duckType,
              ...(target.format !== undefined && { format: target.format }),
              message: aboutValue(q(target.name), `is no ${target.type}.`),
            };
          }),
        );
      },
    };
  },
});

function duckType(column: z.infer<typeof CastColumn>, index: number): string {
  const path = ['columns', index] as const;
  const { type, precision, scale, format } = column;
  if (type !== 'DECIMAL' && (precision !== undefined || scale !== undefined)) {
    throw new SluiceError('INVALID_INPUT', `\`precision\` and \`scale\` belong to DECIMAL, not to ${type}.`, { path });
  }
  if (format !== undefined && !/^(DATE|TIME)/.test(type)) {
    throw new SluiceError('INVALID_INPUT', `\`format\` belongs to dates and times, not to ${type}.`, { path });
  }
  if (type !== 'DECIMAL') return CAST_TYPES[type];
  const digits = precision ?? 18;
  const behind = scale ?? Math.min(3, digits);
  if (behind > digits) throw new SluiceError('INVALID_INPUT', '`scale` cannot be larger than `precision`.', { path });
  return `DECIMAL(${digits},${behind})`;
}
