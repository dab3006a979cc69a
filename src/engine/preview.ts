import { quoteIdentifier as q, quoteLiteral } from './column.js';
import { BASE, baseRelation, type CompileHooks, compile, withBase } from './compile.js';
import type { EngineContext, WithSinkClient } from './engine.js';
import { takeAccount } from './evaluate/accounting.js';
import { fates, loadedRows } from './evaluate/fate.js';
import { createBadRowsTable, createQuarantineView, firstBadRows, gatherRejects } from './evaluate/quarantine-part.js';
import { report } from './evaluate/verdict.js';
import { type OpenSource, withSource } from './open-source.js';
import type { BoundPipeline } from './parse-pipeline.js';
import type { Preview, PreviewStage, ResolvedFile } from './pipeline.js';
import { FILE, type Relation, ROW_NUMBER } from './relation.js';
import type { SourceRelation } from './sources/source.js';

/** Rows at the head of the source that a preview judges. */
const PREVIEWED_ROWS = 10_000;
const SHOWN_BAD_ROWS = 20;

/**
 * What a job would do with the first rows of its source: the rows after every step, the SQL, the report. Loads
 * nothing, and judges only those first rows: figures of the whole are the job's.
 */
export async function preview(
  options: EngineContext,
  pipeline: BoundPipeline,
  withSinkClient: WithSinkClient,
  rows: number,
  directory: string,
  signal: AbortSignal,
): Promise<Preview> {
  return withSource(pipeline.source, options, { directory, signal, isLoading: false }, async (open) => {
    const head = await layHead(open);
    const { session } = open;
    const stages: PreviewStage[] = [];
    const wrap = (select: string): string => withBase(head, select, { rowNumbers: true, keepRejects: false });
    let laidDown = 0;
    const hooks: CompileHooks = {
      async barrier(relation) {
        laidDown += 1;
        const table = `sluice_preview_${laidDown}`;
        const select = `SELECT * FROM (${relation.toSql()}) WHERE ${fates(relation.gates).good}`;
        await session.run(`CREATE TABLE ${table} AS ${wrap(select)}`);
        return { table };
      },
      onRebuilt: () => undefined,
      onStage: async (name, relation) => {
        stages.push({ name, columns: relation.columns, rows: await firstRows(open, relation, wrap, rows) });
      },
    };
    const inspect = (relation: Relation) =>
      withSinkClient((client) => pipeline.sink.inspect(client, relation.columns, options.files, options.endpoints));
    const { relation } = await compile(session, pipeline, baseRelation(head), inspect, hooks);
    stages.push({ name: 'sink', columns: relation.columns, rows: await firstRows(open, relation, wrap, rows) });
    await createBadRowsTable(session);
    const account = await takeAccount(session, relation, wrap, [], 0);
    await gatherRejects(session, open.relation);
    await createQuarantineView(session, open.staged, head, account.bad > 0);
    const bad = await firstBadRows(session, SHOWN_BAD_ROWS);
    return {
      stages,
      sql: withoutPaths(
        open.staged,
        withBase(open.relation, loadedRows(relation), { rowNumbers: false, keepRejects: false }),
      ),
      expectations: report(pipeline.expectations, [account], account.good, new Map()),
      rowsRead: account.read,
      rowsQuarantined: account.bad,
      quarantined: bad,
    };
  });
}

/** SQL that names files as the user does: where they lie on this machine is nobody's business. */
const withoutPaths = (files: readonly ResolvedFile[], sql: string): string =>
  files.reduce((text, { path, uri }) => text.replaceAll(quoteLiteral(path), quoteLiteral(uri)), sql);

/** Copies the head of the source into a table, so that each stage reads the same rows. */
async function layHead({ session, relation }: OpenSource): Promise<SourceRelation> {
  const columns = [...relation.columns, ...relation.rawColumns].map((column) => q(column.name));
  const numbered = withBase(relation, `SELECT * FROM ${q(BASE)} LIMIT ${PREVIEWED_ROWS}`, {
    rowNumbers: true,
    keepRejects: true,
  });
  await session.run(`CREATE TABLE sluice_head AS ${numbered}`);
  const plain = (column: { name: string; type: string }) => ({ ...column, sql: q(column.name) });
  return {
    ...relation,
    from: `(SELECT ${[...columns, q(FILE), q(ROW_NUMBER)].join(', ')} FROM sluice_head)`,
    fromKeepingRejects: 'sluice_head',
    columns: relation.columns.map(plain),
    rawColumns: relation.rawColumns.map(plain),
    rowNumber: q(ROW_NUMBER),
    file: q(FILE),
  };
}

async function firstRows(
  open: OpenSource,
  relation: Relation,
  wrap: (select: string) => string,
  rows: number,
): Promise<readonly string[]> {
  const select = wrap(`${loadedRows(relation)} LIMIT ${rows}`);
  const found = await open.session.query(`SELECT CAST(to_json(r) AS VARCHAR) AS row FROM (${select}) r`);
  return found.map((row) => String(row.row));
}
