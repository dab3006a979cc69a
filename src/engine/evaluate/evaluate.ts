import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { baseRelation, type CompileHooks, compile, keepLastOfKey, withBase } from '../compile.js';
import type { EngineContext, EvaluateRequest } from '../engine.js';
import { checkUnchanged, type OpenSource, withSource } from '../open-source.js';
import type { BoundPipeline } from '../parse-pipeline.js';
import type { Evaluation } from '../pipeline.js';
import type { Relation } from '../relation.js';
import type { SinkTarget } from '../sinks/sink.js';
import { type Account, type KeyCount, SAMPLES, type Sample, samplesOfDuplicates, takeAccount } from './accounting.js';
import { CompiledSql } from './compiled-sql.js';
import { expectationChecks, fates, loadedRows } from './fate.js';
import { markedLines } from './marked-lines.js';
import { listParts, writeGoodRows, writeMarkedLines } from './parts.js';
import type { QuarantineLines } from './quarantine-lines.js';
import {
  type BadRow,
  createBadRowsTable,
  createQuarantineView,
  firstBadRows,
  gatherRejects,
  reconcileQuarantine,
  writeQuarantine,
} from './quarantine-part.js';
import { type LinesReading, quarantineOfLines, tableOfLines } from './read-lines.js';
import type { ScannedLines } from './scan-lines.js';
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
  private hasGathered = false;
  /** Set when the bad rows were written as they were found. */
  private quarantine: QuarantineLines | null = null;
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
    const { session } = this.open;
    const { pipeline, loadId } = this.request;
    await createBadRowsTable(session);
    const inspect = (relation: Relation): Promise<SinkTarget> =>
      this.request.withSinkClient((client) =>
        pipeline.sink.inspect(client, relation.columns, this.options.files, this.options.endpoints),
      );
    const compiled = await compile(session, pipeline, baseRelation(this.open.relation), inspect, this.hooks, loadId);
    await this.sql.add(this.wrap({ rowNumbers: false, keepRejects: false })(loadedRows(compiled.relation)));
    const { relation, rowsGood } = await this.load(compiled.relation, compiled.target);
    const uniqueSamples = await this.uniqueSamples(relation);
    const outcomes = report(pipeline.expectations, this.accounts, rowsGood, uniqueSamples);
    const rowsRead = (this.accounts[0]?.read ?? 0) + this.rejected;
    const rowsQuarantined = this.sum((account) => account.bad) + this.rejected;
    const samples = await this.firstBad(rowsQuarantined);
    judge(outcomes, pipeline.options.errorBudget, rowsQuarantined, rowsRead, samples);
    if (this.quarantine === null) await writeQuarantine(session, this.request.stagingDir, rowsQuarantined);
    else reconcileQuarantine(rowsQuarantined, this.quarantine.written);
    return {
      rowsRead,
      rowsFiltered: this.sum((account) => account.filtered),
      rowsDeduplicated: this.deduplicated,
      rowsReshaped: this.reshaped,
      rowsQuarantined,
      rowsGood,
      parts: await listParts(this.request.stagingDir, rowsGood, this.lines),
      expectations: outcomes,
      sourceColumns: this.open.relation.columns.map(({ name, type }) => ({ name, type })),
      output: relation.columns,
      target: compiled.target,
    };
  }

  private async firstBad(rows: number): Promise<readonly BadRow[]> {
    if (this.quarantine !== null) return this.quarantine.first;
    if (rows === 0) return [];
    const { session, staged, relation } = this.open;
    await createQuarantineView(session, staged, relation, rows > this.rejected);
    return firstBadRows(session, SAMPLES);
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
      this.request.pipeline.sink.staging.kind !== 'FILE' &&
      relation.columns.length <= SIDE_BY_SIDE_COLUMNS &&
      expectationChecks(relation.gates).every((check) => check.quarantines) &&
      this.uniqueCounts(relation).length === 0
    );
  }

  /** Writes and counts in one. @returns good rows */
  private async writeMarked(relation: Relation): Promise<number> {
    const { session } = this.open;
    const { pipeline, stagingDir, onProgress } = this.request;
    // The lines of one file are numbered as its records are, and stand in their order: the quarantine is written as the
    // lines are looked through. Whatever else is bad goes through a table.
    const isNumbered =
      !this.laidDown &&
      this.accounts.length === 0 &&
      this.open.relation.rowNumber === null &&
      this.open.staged.length === 1;
    const select = this.wrap({ rowNumbers: false, keepRejects: true })(
      markedLines(relation, isNumbered ? 'TEXT' : 'JSON', pipeline.sink.staging.kind),
    );
    const progress = onProgress && ((fraction: number) => onProgress({ fraction }));
    const { file, lines } = await writeMarkedLines(session, select, stagingDir, progress);
    if (isNumbered) await this.gatherRejects();
    const reading: LinesReading = { open: this.open, request: this.request, file, relation };
    const { account, scanned, quarantine } = isNumbered
      ? await quarantineOfLines(reading, this.rejected)
      : await tableOfLines(reading, { pass: this.accounts.length, laidDown: this.laidDown });
    this.quarantine = quarantine;
    if (scanned.lines !== lines) {
      throw new SluiceError(
        'RECONCILIATION_FAILED',
        `${lines} rows were written, but ${scanned.lines} are in the parts; nothing was loaded.`,
      );
    }
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
    await this.gatherRejects();
    this.settleDifference(account.read);
    this.accounts.push(account);
    this.accounted = relation;
  }

  /** What the reader has rejected is known once the source was read whole for the first time. */
  private async gatherRejects(): Promise<void> {
    if (this.hasGathered) return;
    this.hasGathered = true;
    this.rejected = await gatherRejects(this.open.session, this.open.relation);
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
    const wrap = this.wrap({ rowNumbers: true, keepRejects: false });
    for (const key of this.uniqueCounts(relation)) {
      if ((this.accounts.at(-1)?.duplicates.get(key.name) ?? 0) === 0) continue;
      const ordinal = Number(key.name.slice('unique'.length));
      samples.set(ordinal, await samplesOfDuplicates(this.open.session, relation, key.columns, wrap));
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
