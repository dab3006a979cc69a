import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { aboutValue } from '../relation.js';
import { requireColumn, requireDistinct, requireNewName, type StepBinding } from './step.js';

const Options = z.strictObject({
  column: z.string().describe('Column whose values are looked up, as text.'),
  entries: z
    .array(
      z.strictObject({
        from: z.string().describe('Value to look for.'),
        to: z.string().describe('Value to put in its place.'),
      }),
    )
    .min(1)
    .max(10_000)
    .describe('The lookup table.'),
  into: z.string().optional().describe('Column for the result. Default: the looked-up column itself.'),
  unmapped: z
    .enum(['KEEP', 'NULL', 'QUARANTINE', 'DEFAULT'])
    .default('KEEP')
    .describe('What happens to a value that is in no entry.'),
  default: z.string().optional().describe('Result for `unmapped: DEFAULT`.'),
});

export const mapStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'map',
  kind: 'step',
  summary: 'Replaces values by a lookup table. Null stays null.',
  options: Options,
  example: {
    column: 'status',
    entries: [
      { from: 'p', to: 'paid' },
      { from: 'n', to: 'new' },
    ],
    unmapped: 'QUARANTINE',
  },
  bind(options) {
    if ((options.unmapped === 'DEFAULT') !== (options.default !== undefined)) {
      throw new SluiceError('INVALID_INPUT', '`default` and `unmapped: DEFAULT` go together.', { path: ['default'] });
    }
    const froms = options.entries.map((entry) => entry.from);
    if (new Set(froms).size !== froms.length) {
      throw new SluiceError('INVALID_INPUT', 'Two entries look for the same value.', { path: ['entries'] });
    }
    const keys = froms.map(quoteLiteral).join(', ');
    const values = options.entries.map((entry) => quoteLiteral(entry.to)).join(', ');
    return {
      scope: 'ROW',
      async apply({ relation }) {
        requireColumn(relation.columns, options.column, ['column']);
        const into = options.into ?? options.column;
        requireNewName(into, ['into']);
        const value = `CAST(${q(options.column)} AS VARCHAR)`;
        const found = `map_extract_value(MAP([${keys}], [${values}]), ${value})`;
        const known = `${value} IN (${keys})`;
        if (options.unmapped === 'QUARANTINE') {
          relation.check({
            column: options.column,
            code: 'VALUE_UNMAPPED',
            violation: `${value} IS NOT NULL AND NOT (${known})`,
            message: aboutValue(q(options.column), 'is not in the lookup table.'),
          });
        }
        const otherwise = {
          KEEP: value,
          NULL: 'NULL',
          QUARANTINE: 'NULL',
          DEFAULT: quoteLiteral(options.default ?? ''),
        }[options.unmapped];
        const result = {
          name: into,
          sql: `CASE WHEN ${value} IS NULL THEN NULL WHEN ${known} THEN ${found} ELSE ${otherwise} END`,
          type: 'VARCHAR',
        };
        if (relation.column(into) !== undefined) return relation.replace([result]);
        requireDistinct([...relation.columns.map((c) => c.name), into], ['into']);
        relation.project([...relation.columns.map((c) => ({ ...c, sql: q(c.name) })), result]);
      },
    };
  },
});
