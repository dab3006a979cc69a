import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { baseRelation, type CompileHooks, compile, keepLastOfKey, withBase } from '../compile.js';
import type { EngineContext, EvaluateRequest } from '../engine.js';
import { checkUnchanged, type OpenSource, withSource } from '../open-source.js';
import type { BoundPipeline } from '../parse-pipeline.js';
import type { Evaluation } from '../pipeline.js';
import { type Relation, ROW_NUMBER, withinFile } from '../relation.js';
import type { SinkTarget } from '../sinks/sink.js';
import { type Account, accountOfLines, type KeyCount, SAMPLES, type Sample, takeAccount } from './accounting.js';
import { BadRecords } from './bad-records.js';
import { CompiledSql } from './compiled-sql.js';
import { expectationChecks, fates, loadedRows } from './fate.js';
import { markedLines } from './marked-lines.js';
import { listParts, MAX_PART_BYTES, writeGoodRows, writeMarkedLines } from './parts.js';
import {
  createBadRowsTable,
  createQuarantineView,
  firstBadRows,
  gatherRejects,
  writeQuarantine,
} from './quarantine-part.js';
import { type ScannedLines, scanLines } from './scan-lines.js';
import { judge, report } from './verdict.js';

/** Every expression over a column takes memory for a batch of its values; wider relations are read one after the other. */
const SIDE_BY_SIDE_COLUMNS = 50;

type Request = Omit<EvaluateRequest, 'pipeline'> & { readonly pipeline: BoundPipeline };

/** Name of the distinct count that finds keys of an UPSERT that stand more than once. */
const TARGET_KEY = 'target';

/**
 * One pass over the source into part files. Where every check sets its rows aside, one query writes every row in
 * source order, the bad ones marked, and reading the lines once more counts and numbers them. Otherwise writing the
 * good rows and counting the fates are two queries side by side: the one is parallel, the other needs row numbers and
 * so is serial.
 */
export async function evaluate(options: EngineContext, request: Request): Promise<Evaluation> {
  const { pipeline, stagingDir, signal } = request;
  return withSource(pipeline.source, options, { directory: stagingDir, signal, isLoading: true }, async (open) => {
    const evaluation = await new Evaluator(options, request, open).run();
    await checkUnchanged(open.files);
    await rm(join(stagingDir, 'work'), { recursive: true, force: true });
    return evaluation;
  });
}

class Evaluator {
  private readonly accounts: Account[] = [];
  /** The relation that the last account was taken of. */
  private accounted: Relation | null = null;
  private rejected = 0;
  private deduplicated = 0;
  private reshaped = 0;
  /** Set once a step over all rows has laid rows down: later queries read tables, not the source. */
  private laidDown = false;
  /** Set once lines are written: the file, and how it is cut into parts. */
  private lines: { readonly file: string; readonly ranges: ScannedLines['ranges'] } | null = null;
  private pendingDifference: { good: number; missingRows: 'DEDUPLICATED' | 'RESHAPED' } | null = null;
  private readonly sql: CompiledSql;

  constructor(
    private readonly options: EngineContext,
    private readonly request: Request,
    private readonly open: OpenSource,
  ) {
    this.sql = new CompiledSql(open.session, request.onCompiled);
  }

  async run(): Promise<Evaluation> {
    const { session, relation: source } = this.open;
    const { pipeline } = this.request;
    await createBadRowsTable(session);
    const inspect = (relation: Relation): Promise<SinkTarget> =>
      this.request.withSinkClient((client) => pipeline.sink.inspect(client, relation.columns, this.options.files));
    const compiled = await compile(session, pipeline, baseRelation(source), inspect, this.hooks);
    await this.sql.add(this.wrap({ rowNumbers: false, keepRejects: false })(loadedRows(compiled.relation)));
    const { relation, rowsGood } = await this.load(compiled.relation, compiled.target);
    const uniqueSamples = await this.uniqueSamples(relation);
    const outcomes = report(pipeline.expectations, this.accounts, rowsGood, uniqueSamples);
    const rowsRead = (this.accounts[0]?.read ?? 0) + this.rejected;
    const rowsQuarantined = this.sum((account) => account.bad) + this.rejected;
    if (rowsQuarantined > 0) {
      await createQuarantineView(session, this.open.staged, source, rowsQuarantined > this.rejected);
    }
    const samples = rowsQuarantined > 0 ? await firstBadRows(session, SAMPLES) : [];
    judge(outcomes, pipeline.options.errorBudget, rowsQuarantined, rowsRead, samples);
    await writeQuarantine(session, this.request.stagingDir, rowsQuarantined);
    return {
      rowsRead,
      rowsFiltered: this.sum((account) => account.filtered),
      rowsDeduplicated: this.deduplicated,
      rowsReshaped: this.reshaped,
      rowsQuarantined,
      rowsGood,
      parts: await listParts(this.request.stagingDir, rowsGood, this.lines),
      expectations: outcomes,
      output: relation.columns,
      target: compiled.target,
    };
  }

  /** Writes and counts; for an UPSERT it counts first, since keys that stand twice change what is written. */
  private async load(relation: Relation, target: SinkTarget): Promise<{ relation: Relation; rowsGood: number }> {
    const keyed = target.key.length > 0;
    let final = relation;
    let rowsGood: number;
    if (keyed) {
      const key: KeyCount = { name: TARGET_KEY, columns: target.key, among: 'good' };
      const account = await this.account(final, [key, ...this.uniqueCounts(final)]);
      if ((account.duplicates.get(TARGET_KEY) ?? 0) > 0) {
        final = await keepLastOfKey(this.open.session, final, target.key, this.hooks);
        await this.account(final);
      }
      rowsGood = await this.write(final);
    } else if (this.canMark(relation)) {
      rowsGood = await this.writeMarked(final);
    } else if (relation.columns.length > SIDE_BY_SIDE_COLUMNS) {
      rowsGood = await this.write(final);
      await this.account(final, this.uniqueCounts(final));
    } else {
      [rowsGood] = await this.open.session.sideBySide(
        () => this.write(final),
        () => this.account(final, this.uniqueCounts(final)),
      );
    }
    const counted = this.accounts.at(-1)?.good ?? 0;
    if (rowsGood !== counted) {
      throw new SluiceError(
        'SOURCE_CHANGED',
        `Two passes over the source disagree (${rowsGood} and ${counted} good rows); nothing was loaded.`,
      );
    }
    return { relation: final, rowsGood };
  }

  /** Lines tell what became of a row, but not what else is to be said of a good one. */
  private canMark(relation: Relation): boolean {
    return (
      this.request.pipeline.sink.staging.kind === 'ROWS' &&
      relation.columns.length <= SIDE_BY_SIDE_COLUMNS &&
      expectationChecks(relation.gates).every((check) => check.quarantines) &&
      this.uniqueCounts(relation).length === 0
    );
  }

  /** Writes and counts in one. @returns good rows */
  private async writeMarked(relation: Relation): Promise<number> {
    const { session } = this.open;
    const { pipeline, stagingDir, signal, onProgress } = this.request;
    const select = this.wrap({ rowNumbers: false, keepRejects: true })(markedLines(relation));
    const progress = onProgress && ((fraction: number) => onProgress({ fraction }));
    const { file, lines } = await writeMarkedLines(session, select, stagingDir, progress);
    const limits = { rows: pipeline.options.chunkRows, bytes: MAX_PART_BYTES };
    const records = await BadRecords.create(join(stagingDir, 'work', 'bad.ndjson'));
    const scanned = await scanLines(file, limits, signal, (line, json) => records.add(line, json)).finally(() =>
      records.close(),
    );
    if (scanned.lines !== lines) {
      throw new SluiceError(
        'RECONCILIATION_FAILED',
        `${lines} rows were written, but ${scanned.lines} are in the parts; nothing was loaded.`,
      );
    }
    const numbers = this.laidDown || this.open.relation.rowNumber !== null ? 'rn' : 'line';
    const account = await accountOfLines(
      session,
      relation,
      scanned,
      { path: records.path, longestBytes: records.longestBytes, numbers },
      this.accounts.length,
    );
    await this.keepAccount(relation, account);
    this.lines = { file, ranges: scanned.ranges };
    return account.good;
  }

  private write(relation: Relation): Promise<number> {
    const { pipeline, stagingDir, onProgress } = this.request;
    const progress = onProgress && ((fraction: number) => onProgress({ fraction }));
    return writeGoodRows(this.open.session, relation, {
      wrap: this.wrap({ rowNumbers: false, keepRejects: false }),
      sink: pipeline.sink,
      stagingDir,
      chunkRows: pipeline.options.chunkRows,
      sourceBytes: this.open.staged.reduce((bytes, file) => bytes + file.bytes, 0),
      onProgress: progress,
    });
  }

  private async account(relation: Relation, keys: readonly KeyCount[] = []): Promise<Account> {
    const { session } = this.open;
    const account = await takeAccount(
      session,
      relation,
      this.wrap({ rowNumbers: true, keepRejects: true }),
      keys,
      this.accounts.length,
    );
    await this.keepAccount(relation, account);
    return account;
  }

  private async keepAccount(relation: Relation, account: Account): Promise<void> {
    const { session, relation: source } = this.open;
    if (this.accounts.length === 0) this.rejected = await gatherRejects(session, source);
    this.settleDifference(account.read);
    this.accounts.push(account);
    this.accounted = relation;
  }

  /** `unique` expectations that only count; those that set rows aside are checks of the relation. */
  private uniqueCounts(relation: Relation): readonly KeyCount[] {
    return this.request.pipeline.expectations.flatMap(({ expectation, severity }, i) =>
      expectation.scope === 'UNIQUE' &&
      severity !== 'QUARANTINE' &&
      expectation.columns.every((name) => relation.column(name))
        ? [{ name: `unique${i}`, columns: expectation.columns, among: 'reached' as const }]
        : [],
    );
  }

  private async uniqueSamples(relation: Relation): Promise<ReadonlyMap<number, readonly Sample[]>> {
    const samples = new Map<number, readonly Sample[]>();
    const last = this.accounts.at(-1);
    const { reached } = fates(relation.gates);
    for (const key of this.uniqueCounts(relation)) {
      if ((last?.duplicates.get(key.name) ?? 0) === 0) continue;
      const columns = key.columns.map(q);
      const complete = columns.map((column) => `${column} IS NOT NULL`).join(' AND ');
      const rows = await this.open.session.query(
        this.wrap({
          rowNumbers: true,
          keepRejects: false,
        })(`SELECT ${withinFile(q(ROW_NUMBER))} AS rn, ${relation.raw} AS raw FROM (SELECT * FROM (${relation.toSql()}) WHERE ${reached} AND ${complete}
          QUALIFY row_number() OVER (PARTITION BY ${columns.join(', ')} ORDER BY ${q(ROW_NUMBER)}) > 1) ORDER BY ${q(ROW_NUMBER)} LIMIT ${SAMPLES}`),
      );
      const ordinal = Number(key.name.slice('unique'.length));
      samples.set(
        ordinal,
        rows.map((row) => ({ rowNumber: row.rn === null ? null : Number(row.rn), raw: String(row.raw) })),
      );
    }
    return samples;
  }

  private readonly hooks: CompileHooks = {
    barrier: async (relation) => {
      const { good } = fates(relation.gates);
      const kept = [...relation.columns.map((column) => column.name), ...relation.record].map(q).join(', ');
      const rows = `SELECT ${kept} FROM (${relation.toSql()}) WHERE ${good}`;
      const select = this.wrap({ rowNumbers: true, keepRejects: false })(rows);
      await this.sql.add(select);
      const known = this.accounted === relation ? this.accounts.at(-1) : undefined;
      const account = known ?? (await this.account(relation));
      const table = `sluice_rows_${this.accounts.length}`;
      await this.open.session.run(`CREATE TABLE ${table} AS ${select}`);
      this.laidDown = true;
      this.pendingDifference = { good: account.good, missingRows: 'RESHAPED' };
      return { table };
    },
    onRebuilt: (missingRows) => {
      if (this.pendingDifference !== null) this.pendingDifference = { ...this.pendingDifference, missingRows };
    },
  };

  /** Rows that a step over all rows took away show when the next account reads its result. */
  private settleDifference(read: number): void {
    if (this.pendingDifference === null) return;
    const missing = this.pendingDifference.good - read;
    if (this.pendingDifference.missingRows === 'DEDUPLICATED') this.deduplicated += missing;
    else this.reshaped += missing;
    this.pendingDifference = null;
  }

  private wrap(reading: { rowNumbers: boolean; keepRejects: boolean }): (select: string) => string {
    if (this.laidDown) return (select) => select;
    return (select) => withBase(this.open.relation, select, reading);
  }

  private sum(of: (account: Account) => number): number {
    return this.accounts.reduce((total, account) => total + of(account), 0);
  }
}
