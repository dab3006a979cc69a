import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { quoteIdentifier as q } from '../column.js';
import { defineComponent } from '../component.js';
import { checkQuery, INPUT_RELATION } from '../expression/check-query.js';
import { FILE, Relation, ROW_NUMBER } from '../relation.js';
import { rawRecord } from '../sources/source.js';
import { describe, emptyRelation, requireDistinct, requireNewName, type StepBinding } from './step.js';

const Options = z.strictObject({
  query: z
    .string()
    .min(1)
    .max(100_000)
    .describe(`One SELECT that reads the relation \`${INPUT_RELATION}\` and nothing else.`),
});

export const sqlStep = defineComponent<z.infer<typeof Options>, StepBinding>({
  name: 'sql',
  kind: 'step',
  summary: `One SELECT over \`${INPUT_RELATION}\`: aggregates, windows, joins with itself. The number of rows may change.`,
  options: Options,
  example: { query: 'SELECT country, count(*) AS orders, sum(total) AS revenue FROM input GROUP BY country' },
  bind: (options) => {
    const query = options.query.trim().replace(/;\s*$/, '');
    return {
      scope: 'GLOBAL',
      missingRows: 'RESHAPED',
      async rebuild({ session, table, columns }) {
        try {
          await checkQuery(session, query);
          const over = (from: string): string =>
            `WITH ${INPUT_RELATION} AS (SELECT ${columns.map((c) => q(c.name)).join(', ')} FROM ${from}) SELECT * FROM (${query}\n)`;
          const output = await describe(session, over(emptyRelation(columns)));
          requireDistinct(
            output.map((c) => c.name),
            [],
          );
          for (const column of output) requireNewName(column.name, []);
          // Its rows are new: they have no place in a file, and they are their own raw record. They are laid down once,
          // with their order, since another run of the query might order or pick rows differently.
          const { rawColumns, raw } = rawRecord(output);
          const copies = rawColumns.map((copy) => `${copy.sql} AS ${q(copy.name)}`);
          const place = [`NULL::VARCHAR AS ${q(FILE)}`, `row_number() OVER () AS ${q(ROW_NUMBER)}`];
          const result = q(`sluice_sql_${newId()}`);
          await session.run(
            `CREATE TABLE ${result} AS SELECT *, ${[...copies, ...place].join(', ')} FROM (${over(table)})`,
          );
          const hidden = [...rawColumns.map((copy) => copy.name), FILE, ROW_NUMBER];
          return new Relation(`SELECT * FROM ${result}`, output, hidden, raw);
        } catch (error) {
          if (error instanceof SluiceError) throw error.under('query');
          throw error;
        }
      },
    };
  },
});
