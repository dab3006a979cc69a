import { describe, expect, it } from 'vitest';
import type { Column } from '../../src/engine/column.js';
import type { Part, SinkBinding } from '../../src/engine/sinks/sink.js';
import { type Pool, withTransaction } from '../../src/store/pool.js';
import { copyText, jsonText, loadJob, type Row, type SinkHome } from '../support/load-parts.js';

/** What a sink has to bring to be held against its contract. */
export interface SinkUnderTest {
  readonly name: string;
  /** A sink over a target of its own with the columns `id INTEGER, v VARCHAR`, empty or absent. */
  fresh(): Promise<{
    readonly sink: SinkBinding;
    /** The ids in the target, sorted; null when there is no target. */
    ids(): Promise<readonly number[] | null>;
    /** What the sink has made beside its target and not taken away, by name. */
    leftovers(): Promise<readonly string[]>;
  }>;
  /** The finished file of a file sink with these rows. */
  file?(rows: readonly Row[]): Promise<Part>;
}

const OUTPUT: readonly Column[] = [
  { name: 'id', type: 'INTEGER' },
  { name: 'v', type: 'VARCHAR' },
];
const ROWS: readonly (readonly Row[])[] = [
  [
    [1, 'a'],
    [2, 'b'],
  ],
  [[3, null]],
  [
    [4, ''],
    [5, 'tab\there'],
    [6, 'x'],
  ],
];
const IDS = [1, 2, 3, 4, 5, 6];

/** The contract of `SinkBinding`, over every sink; a new sink is one more entry in the list that calls this. */
export function sinkConformance(under: SinkUnderTest, place: () => { pool: Pool; home: SinkHome }): void {
  describe(`the sink ${under.name}`, () => {
    const start = async () => {
      const { pool, home } = place();
      const { sink, ids, leftovers } = await under.fresh();
      const text = sink.staging.kind === 'JSON' ? jsonText : copyText;
      const parts = under.file
        ? [await under.file(ROWS.flat())]
        : await Promise.all(ROWS.map((rows, ordinal) => home.part(ordinal, text(rows))));
      return { pool, sink, ids, leftovers, parts, job: loadJob(pool, home, sink, OUTPUT) };
    };

    it('names its database exactly when it stages rows for one', async () => {
      const { sink } = await start();
      expect(sink.connection === null).toBe(sink.staging.kind !== 'ROWS');
    });

    it('tells of its target without changing anything', async () => {
      const { job, ids, leftovers } = await start();
      const before = await ids();
      const target = await job.inspect();
      expect(target.columns === null || target.columns.length === OUTPUT.length).toBe(true);
      expect(await ids()).toEqual(before);
      expect(await leftovers()).toEqual([]);
    });

    it('loads parts in any order and several at once, and leaves nothing but the target', async () => {
      const { job, ids, leftovers, parts } = await start();
      await job.prepare();
      const rows = await Promise.all([...parts].reverse().map((part) => job.load(part)));
      expect(rows.reduce((sum, n) => sum + n, 0)).toBe(IDS.length);
      await job.publish();
      expect(await ids()).toEqual(IDS);
      expect(await leftovers()).toEqual([]);
      await job.discard();
      expect(await ids()).toEqual(IDS);
    });

    it('finds what it reads back as it was evaluated', async () => {
      const { sink, job, parts } = await start();
      await job.prepare();
      for (const part of parts) await job.load(part);
      await job.publish();
      const rechecks = job.rechecks.filter((recheck) => recheck !== null);
      const rows = sink.staging.kind === 'ROWS' ? IDS.length : 0;
      expect(rechecks.reduce((sum, recheck) => sum + recheck.rows, 0)).toBe(rows);
      for (const recheck of rechecks) expect(recheck).toMatchObject({ differing: 0, columns: [], problem: null });
    });

    it('loads a part once when its first transaction was rolled back', async () => {
      const { pool, sink, job, ids, parts } = await start();
      await job.prepare();
      for (const part of parts) {
        const lost = withTransaction(pool, async (client) => {
          const { endpoints } = place().home;
          await sink.load({ client, signal: new AbortController().signal, endpoints }, job.prepared(), part);
          throw new Error('lease lost');
        });
        await expect(lost).rejects.toThrow('lease lost');
        await job.load(part);
      }
      await job.publish();
      expect(await ids()).toEqual(IDS);
    });

    it('publishes again when the first finishing transaction was rolled back', async () => {
      const { pool, job, ids, leftovers, parts } = await start();
      await job.prepare();
      for (const part of parts) await job.load(part);
      const lost = withTransaction(pool, async (client) => {
        await job.publishIn(client);
        throw new Error('killed before the commit');
      });
      await expect(lost).rejects.toThrow('killed');
      await job.publish();
      expect(await ids()).toEqual(IDS);
      expect(await leftovers()).toEqual([]);
    });

    it('prepares twice as it prepares once', async () => {
      const { job, ids, parts } = await start();
      const first = await job.prepare();
      expect(await job.prepare()).toEqual(first);
      for (const part of parts) await job.load(part);
      await job.publish();
      expect(await ids()).toEqual(IDS);
    });

    it('discards what it made, any number of times, before and after loading', async () => {
      const { job, leftovers, parts } = await start();
      await job.prepare();
      await job.discard();
      await job.prepare();
      for (const part of parts) await job.load(part);
      await job.discard();
      await job.discard();
      expect(await leftovers()).toEqual([]);
    });

    it('loads nothing once its signal has aborted', async () => {
      const { job, parts } = await start();
      await job.prepare();
      const [part] = parts;
      if (!part) throw new Error('no part');
      await expect(job.load(part, AbortSignal.abort(new Error('told to stop')))).rejects.toThrow('told to stop');
      await job.discard();
    });
  });
}
