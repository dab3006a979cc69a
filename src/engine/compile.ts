import { type InputPath, SluiceError, UserErrors } from '../core/errors.js';
import { align } from './align.js';
import { quoteIdentifier as q, quoteLiteral } from './column.js';
import type { BoundExpectation, BoundPipeline } from './parse-pipeline.js';
import { columnOf, FILE, HIDDEN_PREFIX, Relation, ROW_NUMBER } from './relation.js';
import type { Session } from './session.js';
import type { SinkTarget } from './sinks/sink.js';
import type { SourceRelation } from './sources/source.js';
import { keepOne } from './transforms/deduplicate.js';
import { type GlobalContext, requireColumn } from './transforms/step.js';

/** Stands for the id of a job where there is none: in checks and previews. */
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Name of the common table expression that every compiled SELECT reads from. */
export const BASE = `${HIDDEN_PREFIX}base`;

/** Lays the good rows of a relation down so that a step over all rows can work on them. */
export type Barrier = (relation: Relation) => Promise<Pick<GlobalContext, 'table'>>;

export interface CompileHooks {
  readonly barrier: Barrier;
  /** Told after each step over all rows what the difference in rows counts as. */
  readonly onRebuilt: (missingRows: 'DEDUPLICATED' | 'RESHAPED') => void;
  /** Told the relation after the source and after each step. */
  readonly onStage?: (name: string, relation: Relation) => Promise<void>;
}

/** The relation that a source opens as, before any step. */
export function baseRelation(source: SourceRelation): Relation {
  const hidden = [...source.rawColumns.map((column) => column.name), FILE, ROW_NUMBER];
  const names = [...source.columns.map((column) => column.name), ...hidden];
  const relation = new Relation(
    `SELECT ${names.map(q).join(', ')} FROM ${q(BASE)}`,
    source.columns.map(columnOf),
    hidden,
    source.raw,
  );
  relation.checks(source.checks);
  return relation;
}

/**
 * Puts the source under a compiled SELECT. Numbering rows keeps a CSV reader to one thread, so that only the
 * query that needs the numbers asks for them.
 */
export function withBase(
  source: SourceRelation,
  select: string,
  reading: { readonly rowNumbers: boolean; readonly keepRejects: boolean },
): string {
  const number = source.rowNumber ?? (reading.rowNumbers ? 'row_number() OVER ()' : 'NULL::BIGINT');
  const items = [
    ...[...source.columns, ...source.rawColumns].map((column) => `${column.sql} AS ${q(column.name)}`),
    `${source.file} AS ${q(FILE)}`,
    `${number} AS ${q(ROW_NUMBER)}`,
  ];
  return `WITH ${q(BASE)} AS NOT MATERIALIZED (SELECT ${items.join(', ')} FROM ${reading.keepRejects ? source.fromKeepingRejects : source.from}) ${select}`;
}

/**
 * Runs every step over the relation, fits it to the target and adds the expectations.
 * @throws UserErrors with the path of the step or expectation at fault
 */
export async function compile(
  session: Session,
  pipeline: BoundPipeline,
  base: Relation,
  inspectTarget: (relation: Relation) => Promise<SinkTarget>,
  hooks: CompileHooks,
  loadId = NIL_UUID,
): Promise<{ readonly relation: Relation; readonly target: SinkTarget }> {
  let relation = base;
  await hooks.onStage?.('source', relation);
  for (const [i, { name, step }] of pipeline.steps.entries()) {
    relation = await at(['steps', i, name], async () => {
      if (step.scope === 'ROW') {
        await step.apply({ session, relation });
        return relation;
      }
      const rebuilt = await step.rebuild(await behindBarrier(session, relation, hooks));
      hooks.onRebuilt(step.missingRows);
      return rebuilt;
    });
    await hooks.onStage?.(`steps[${i}] ${name}`, relation);
  }
  const target = await at(['sink', ...Object.keys(pipeline.json.sink)], () => {
    addLoadId(relation, pipeline.sink.loadIdColumn ?? null, loadId);
    return inspectTarget(relation);
  });
  align(relation, target, pipeline.sink.staging.kind);
  relation = await addExpectations(session, relation, pipeline.expectations, hooks);
  return { relation, target };
}

/** @throws SluiceError INVALID_INPUT when the output has the column already */
function addLoadId(relation: Relation, column: string | null, loadId: string): void {
  if (column === null) return;
  // To DuckDB names that differ in their case alone are one.
  if (relation.columns.some(({ name }) => name.toLowerCase() === column.toLowerCase())) {
    const message = `The output has a column "${column}" already; drop or rename it, or name another one for the id of the load.`;
    throw new SluiceError('INVALID_INPUT', message, { path: ['loadIdColumn'] });
  }
  relation.project([
    ...relation.columns.map((each) => ({ ...each, sql: q(each.name) })),
    { name: column, sql: `CAST(${quoteLiteral(loadId)} AS UUID)`, type: 'UUID' },
  ]);
}

async function addExpectations(
  session: Session,
  start: Relation,
  expectations: readonly BoundExpectation[],
  hooks: CompileHooks,
): Promise<Relation> {
  let relation = start;
  for (const [i, { name, expectation, severity }] of expectations.entries()) {
    await at(['expectations', i, name], async () => {
      if (expectation.scope === 'UNIQUE') {
        for (const [k, column] of expectation.columns.entries())
          requireColumn(relation.columns, column, ['columns', k]);
      }
      if (expectation.scope !== 'ROW') return;
      const { column, sql, message } = await expectation.violation({ session, relation });
      relation.check({
        column,
        code: codeOf(name),
        violation: sql,
        message,
        expectation: i,
        quarantines: severity === 'QUARANTINE',
      });
    });
  }
  for (const [i, { name, expectation, severity }] of expectations.entries()) {
    if (expectation.scope !== 'UNIQUE' || severity !== 'QUARANTINE') continue;
    const { table, columns, hidden, raw } = await behindBarrier(session, relation, hooks);
    relation = new Relation(`SELECT * FROM ${table}`, columns, hidden, raw);
    const keys = expectation.columns.map(q);
    const [nth = ''] = relation.addHidden([
      `row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${q(ROW_NUMBER)})`,
    ]);
    relation.check({
      column: expectation.columns.length === 1 ? (expectation.columns[0] ?? null) : null,
      code: codeOf(name),
      violation: `${q(nth)} > 1 AND ${keys.map((key) => `${key} IS NOT NULL`).join(' AND ')}`,
      message: `'An earlier row has the same ${expectation.columns.join(', ').replaceAll("'", "''")}.'`,
      expectation: i,
      quarantines: true,
    });
  }
  return relation;
}

/** Only the last row in source order of each key; for targets that hold a key once. */
export async function keepLastOfKey(
  session: Session,
  relation: Relation,
  key: readonly string[],
  hooks: CompileHooks,
): Promise<Relation> {
  const { table, columns, hidden, raw } = await behindBarrier(session, relation, hooks);
  hooks.onRebuilt('DEDUPLICATED');
  return new Relation(keepOne(table, key, [`${q(ROW_NUMBER)} DESC`]), columns, hidden, raw);
}

async function behindBarrier(session: Session, relation: Relation, hooks: CompileHooks): Promise<GlobalContext> {
  const { table } = await hooks.barrier(relation);
  return { session, table, columns: relation.columns, hidden: relation.record, raw: relation.raw };
}

/** `notNull` -> `NOT_NULL`. */
const codeOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

async function at<T>(path: InputPath, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError && error.isUserError) throw new UserErrors([error.under(...path)]);
    throw error;
  }
}
