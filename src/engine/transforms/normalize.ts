import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { requireColumn, requireDistinct, type StepBinding } from './step.js';

/** White space of RE2's `\s`, the blank aside. */
const CONTROL_SPACES = ['chr(9)', 'chr(10)', 'chr(12)', 'chr(13)'];

// Most values are clean, and finding that out costs a tenth of running the pattern over them.
const where = (condition: string, then: string, otherwise: string): string =>
  `CASE WHEN ${condition} THEN ${then} ELSE ${otherwise} END`;

/** Whatever sorts before `!` begins with a blank or a control character, or is empty. */
const hasSpaceAtAnEnd = (x: string): string =>
  [`${x} < '!'`, ...["' '", ...CONTROL_SPACES].map((space) => `suffix(${x}, ${space})`)].join(' OR ');

const hasOddSpace = (x: string): string =>
  ["'  '", ...CONTROL_SPACES].map((space) => `contains(${x}, ${space})`).join(' OR ');

const OPERATIONS = {
  TRIM: (x: string) => where(hasSpaceAtAnEnd(x), `regexp_replace(${x}, '^\\s+|\\s+$', '', 'g')`, x),
  LOWER: (x: string) => `lower(${x})`,
  UPPER: (x: string) => `upper(${x})`,
  COLLAPSE_WHITESPACE: (x: string) => where(hasOddSpace(x), `regexp_replace(${x}, '\\s+', ' ', 'g')`, x),
  NFC: (x: string) => `nfc_normalize(${x})`,
} as const;

const operationNames = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];

const Options = z.strictObject({
  columns: z.array(z.string()).min(1).max(2_000).describe('Text columns.'),
  operations: z.array(z.enum(operationNames)).min(1).max(10).describe('What to do, in this order.'),
});

export const normalizeStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'normalize',
  kind: 'step',
  summary: 'Cleans text: trim, lower or upper case, collapse white space, Unicode NFC.',
  options: Options,
  example: { columns: ['customer_email'], operations: ['TRIM', 'LOWER'] },
  bind: ({ columns, operations }) => ({
    scope: 'ROW',
    async apply({ relation }) {
      requireDistinct(columns, ['columns']);
      const changes = columns.map((name, i) => {
        const column = requireColumn(relation.columns, name, ['columns', i]);
        if (column.type !== 'VARCHAR') {
          throw new SluiceError('INVALID_INPUT', `"${name}" is ${column.type}; only text can be normalised.`, {
            path: ['columns', i],
          });
        }
        return { ...column, sql: operations.reduce((sql, operation) => OPERATIONS[operation](sql), q(name)) };
      });
      relation.replace(changes);
    },
  }),
});
