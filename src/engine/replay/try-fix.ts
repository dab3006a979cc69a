import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteLiteral } from '../column.js';
import type { EngineContext, FixRequest } from '../engine.js';
import { engineFailure } from '../evaluate/engine-failure.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { BoundPipeline } from '../parse-pipeline.js';
import type { Evaluation } from '../pipeline.js';
import { Session } from '../session.js';
import type { FixOutcome } from './fix.js';
import { FIXED, makeFixedRows } from './fixed-rows.js';
import { QUARANTINED_FILE } from './quarantined-source.js';

/** Table of the rows that the pipeline sets aside: id (null for rows of a `sql` step), reasons, doc. */
const BAD = 'sluice_still_bad';
const SHOWN = 10;

type Request = Omit<FixRequest, 'pipeline'> & { readonly pipeline: BoundPipeline };

/**
 * Fixes rows and runs them through the pipeline, up to the target but not into it. Steps and expectations over all rows
 * see the fixed rows alone.
 */
export async function tryFix(
  context: EngineContext,
  request: Request,
  directory: string,
  signal: AbortSignal,
): Promise<FixOutcome> {
  const session = await Session.open(
    context,
    { files: [], directories: [directory] },
    join(directory, 'spill'),
    signal,
  );
  try {
    await makeFixedRows(session, request, directory);
    const evaluation = await judge(context, request, session, join(directory, 'judged'), signal);
    await gatherBad(session, evaluation);
    if (request.keep !== null) {
      const good = join(directory, 'good.csv');
      const isBad = `SELECT id FROM ${BAD} WHERE id IS NOT NULL`;
      await writeRows(session, `reasons IS NULL AND id NOT IN (${isBad})`, good);
      await request.keep(good);
    }
    return await outcomeOf(session);
  } catch (error) {
    signal.throwIfAborted();
    throw engineFailure(error, []);
  } finally {
    session.close();
  }
}

const writeRows = (session: Session, condition: string, path: string): Promise<number> =>
  session.run(`COPY (SELECT id, revision, doc FROM ${FIXED} WHERE ${condition} ORDER BY id) TO ${quoteLiteral(path)}
    (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', FORCE_QUOTE (doc))`);

/** Evaluates the rows that could be fixed; null when there are none. */
async function judge(
  context: EngineContext,
  { pipeline, withSinkClient }: Request,
  session: Session,
  stagingDir: string,
  signal: AbortSignal,
): Promise<Evaluation | null> {
  const workDir = join(stagingDir, 'work');
  await mkdir(workDir, { recursive: true });
  const rows = await writeRows(session, 'reasons IS NULL', join(workDir, QUARANTINED_FILE));
  return rows === 0 ? null : evaluate(context, { pipeline, stagingDir, withSinkClient, signal });
}

/** The parts are COPY's text format, of which the reasons, being JSON, have the doubled backslash alone. */
async function gatherBad(session: Session, evaluation: Evaluation | null): Promise<void> {
  await session.run(`CREATE TABLE ${BAD} AS SELECT id, reasons, doc FROM ${FIXED} WHERE reasons IS NOT NULL`);
  const parts = (evaluation?.parts ?? []).filter(({ kind }) => kind === 'QUARANTINE');
  if (parts.length === 0) return;
  const files = parts.map(({ uri }) => quoteLiteral(uri)).join(', ');
  await session.run(
    `INSERT INTO ${BAD} SELECT CASE WHEN part.file IS NOT NULL THEN part.id END, CAST(replace(part.reasons, '\\\\', '\\') AS JSON),
       coalesce(fixed.doc, part.raw)
     FROM read_csv([${files}], auto_detect=false, header=false, delim='\\t', quote='', escape='', nullstr='\\N',
       columns={id: 'BIGINT', file: 'VARCHAR', reasons: 'VARCHAR', raw: 'VARCHAR'}, max_line_size=15000000, buffer_size=32000000,
       parallel=false) AS part LEFT JOIN ${FIXED} AS fixed ON fixed.id = part.id AND part.file IS NOT NULL`,
  );
}

async function outcomeOf(session: Session): Promise<FixOutcome> {
  const [counts] = await session.query(
    `SELECT (SELECT count(*) FROM ${FIXED}) AS rows, (SELECT count(*) FROM ${BAD}) AS bad,
       (SELECT count(*) FROM ${BAD} WHERE id IS NOT NULL) AS named`,
  );
  const count = (name: string): number => Number(counts?.[name] ?? 0);
  const groups = await session.query(
    `SELECT r ->> 'code' AS code, r ->> 'column' AS at_column, CAST(r ->> 'expectation' AS INTEGER) AS expectation, count(*) AS n
     FROM (SELECT unnest(CAST(reasons AS JSON[])) AS r FROM ${BAD}) GROUP BY ALL ORDER BY n DESC, code, at_column`,
  );
  const samples = await session.query(
    `SELECT CAST(id AS VARCHAR) AS id, CAST(reasons AS VARCHAR) AS reasons, doc FROM ${BAD} ORDER BY ${BAD}.id LIMIT ${SHOWN}`,
  );
  return {
    rows: count('rows'),
    good: count('rows') - count('named'),
    bad: count('bad'),
    reasons: groups.map(({ code, at_column: column, expectation, n }) => ({
      code: String(code),
      column: column === null ? null : String(column),
      expectation: expectation === null ? null : Number(expectation),
      rows: Number(n),
    })),
    samples: samples.map((row) => ({
      id: row.id === null ? null : String(row.id),
      // Written by the engine's own queries in this shape.
      reasons: JSON.parse(String(row.reasons)) as FixOutcome['samples'][number]['reasons'],
      values: String(row.doc),
    })),
  };
}
