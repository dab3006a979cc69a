import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Column, quoteIdentifier as q, quoteLiteral } from '../column.js';
import { defineComponent } from '../component.js';
import { checkExpression } from '../expression/check-expression.js';
import type { Pipeline } from '../pipeline.js';
import { HIDDEN_PREFIX } from '../relation.js';
import type { Session } from '../session.js';
import { shapeOf } from '../sources/infer-fields.js';
import { misfit, objectTest, typed } from '../sources/json-documents.js';
import type { SourceBinding, SourceContext, SourceRelation } from '../sources/source.js';

/** The file in the `work` folder that holds the rows; whoever runs the pipeline lays it there. */
export const QUARANTINED_FILE = 'quarantined.csv';

const Options = z.strictObject({
  jobId: z.string().describe('The job that set the rows aside.'),
  columns: z
    .array(z.strictObject({ name: z.string(), type: z.string() }))
    .min(1)
    .describe('The columns of its source, with the types they had.'),
});
type QuarantinedOptions = z.infer<typeof Options>;

/**
 * The rows of a quarantine as a source, for replays: nobody can name it in a launch. It has the columns that the rows had
 * when they were set aside, whatever the rows that are left look like.
 */
export const quarantinedSource = defineComponent<QuarantinedOptions, SourceBinding>({
  name: 'quarantined',
  kind: 'source',
  summary: 'Rows that a job set aside.',
  options: Options,
  example: { jobId: '01931c00-0000-7000-8000-000000000001', columns: [{ name: 'id', type: 'VARCHAR' }] },
  bind: ({ jobId, columns }) => ({
    uris: [],
    async stage(_files, workDir) {
      const path = join(workDir, QUARANTINED_FILE);
      // A check reads no rows.
      await (await open(path, 'a')).close();
      const { size } = await stat(path);
      return [{ path, uri: `quarantine:${jobId}`, bytes: size, modifiedMs: 0 }];
    },
    open: (context) => openQuarantined(context, columns),
  }),
});

/** Whether the rows of the pipeline come from a quarantine. */
export const readsQuarantine = (pipeline: Pick<Pipeline, 'json'>): boolean =>
  quarantinedSource.name in pipeline.json.source;

/** Above what a record of 2 MB grows to as JSON; a longer one stops the replay. */
const MAX_LINE_BYTES = 8_000_000;
const BUFFER_BYTES = 2 * MAX_LINE_BYTES;

/** SQL of the rows in a file of `id, revision, record` as PostgreSQL's COPY writes CSV. */
export const readQuarantined = (path: string): string =>
  `read_csv(${quoteLiteral(path)}, auto_detect=false, header=false, delim=',', quote='"', escape='"', new_line='\\n',
    columns={id: 'BIGINT', revision: 'BIGINT', doc: 'VARCHAR'}, allow_quoted_nulls=false, parallel=false,
    max_line_size=${MAX_LINE_BYTES}, buffer_size=${BUFFER_BYTES})`;

const NESTED = /^(STRUCT|MAP|UNION|VARIANT)|\]$/;

/** How a column is taken out of a record: as JSON when it is no single value. */
export const isJsonValue = ({ type }: Column): boolean => type === 'JSON' || NESTED.test(type);

async function openQuarantined({ session, files }: SourceContext, columns: readonly Column[]): Promise<SourceRelation> {
  await refuseWrongTypes(session, columns);
  const path = files[0]?.path ?? '';
  const [doc, fields] = [`${HIDDEN_PREFIX}doc`, `${HIDDEN_PREFIX}fields`];
  const shape = shapeOf(columns.map((column) => ({ name: column.name, as: isJsonValue(column) ? 'JSON' : 'VARCHAR' })));
  const from = `(SELECT id, doc AS ${q(doc)}, json_transform(CASE WHEN ${objectTest('doc')} THEN doc END, ${shape}) AS ${q(fields)}
    FROM ${readQuarantined(path)})`;
  const value = ({ name }: Column): string => `${q(fields)}.${q(name)}`;
  return {
    from,
    fromKeepingRejects: from,
    columns: columns.map((column) => ({ ...column, sql: valueSql(value(column), column.type) })),
    checks: [
      {
        column: null,
        code: 'MALFORMED_RECORD',
        violation: `NOT ${objectTest(q(`${HIDDEN_PREFIX}s0`))}`,
        message: `'The record is no JSON object.'`,
      },
      ...columns.flatMap((column) => misfit(column)),
    ],
    rawColumns: [
      { name: `${HIDDEN_PREFIX}s0`, sql: q(doc), type: 'VARCHAR' },
      { name: fields, sql: q(fields), type: 'STRUCT' },
    ],
    raw: q(`${HIDDEN_PREFIX}s0`),
    // Numbers are ids: a row that is bad again is known by it.
    rowNumber: 'id',
    file: quoteLiteral(path),
    rejects: null,
    headerLines: 0,
  };
}

function valueSql(value: string, type: string): string {
  return NESTED.test(type)
    ? `CASE WHEN json_type(${value}) <> 'NULL' THEN TRY_CAST(${value} AS ${type}) END`
    : typed(value, type);
}

/** Types stand in SQL. They are written by the engine, but a spec can be patched. @throws SluiceError EXPRESSION_NOT_ALLOWED */
async function refuseWrongTypes(session: Session, columns: readonly Column[]): Promise<void> {
  for (const type of new Set(columns.map((column) => column.type)))
    await checkExpression(session, `CAST(NULL AS ${type})`);
}
