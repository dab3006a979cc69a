import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { actionsOf, aVerdict } from '../support/held-job.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
let warehouse: Pool;
beforeAll(async () => {
  const foreign = await emptyDatabase();
  warehouse = foreign.pool;
  runtime = await aRuntime({ connections: { warehouse: foreign.url, gone: 'postgres://x@127.0.0.1:1/x' } });
});
afterEach(() => warehouse.query('drop table if exists target'));

const engine = partEngine({ parts: [[[1, 'a']], [[2, 'b']], [[3, 'c']]], bad: ['{"id":"x"}'] });
const spec = (sink: object = {}) =>
  aPipeline({ connection: 'warehouse', table: 'target', mode: 'APPEND', createTable: true, ...sink }).json;
const ids = async () =>
  (await warehouse.query<{ id: number }>('select id::int from target order by id')).rows.map(({ id }) => id);

describe('a sink in another database', () => {
  it('gets every row once, while quarantine and counters stay at home', async () => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch({ spec: spec() });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({
      state: 'SUCCEEDED',
      error: null,
      progress: { rowsLoaded: 3, rowsQuarantined: 1 },
    });
    expect(await ids()).toEqual([1, 2, 3]);
    expect(await runtime.column(`select to_regclass('target') is null`)).toEqual([true]);
    expect((await warehouse.query('select from sluice_ledger.load')).rowCount).toBe(0);
  });

  it.each(['chunks', 'publication'] as const)(
    'is not loaded twice when the worker is lost between its commit there and the one at home: %s',
    async (point) => {
      await warehouse.query('create table target (id bigint, name text)');
      const id = await runtime.launch({ spec: spec({ mode: point === 'chunks' ? 'APPEND' : 'REPLACE' }) });
      let losses = 0;
      const lose = () => {
        if (losses++ > 0) return;
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      };
      const { chunks } = runtime.stores;
      const unlucky = await runtime.worker(engine, {
        chunks: {
          ...chunks,
          async countLoaded(chunk, loaded) {
            if (point === 'chunks') lose();
            return chunks.countLoaded(chunk, loaded);
          },
          finish: (attempt, signal, publish, isElsewhere) =>
            chunks.finish(
              attempt,
              signal,
              async (client, loaded) => {
                const recheck = await publish(client, loaded);
                if (point === 'publication') lose();
                return recheck;
              },
              isElsewhere,
            ),
        },
      });
      await unlucky.queue.hint(id);
      expect(losses).toBeGreaterThan(0);
      if (point === 'publication') {
        expect(await runtime.job(id)).toMatchObject({ state: 'RETRYING' });
        await runtime.pool.query('update sluice.job set due_at = statement_timestamp() where id = $1', [id]);
        await runtime.stores.sweep.due(10);
        const { queue } = await runtime.worker(engine);
        await queue.hint(id);
      }
      expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 3 } });
      expect(await ids()).toEqual([1, 2, 3]);
    },
  );

  it.each(['RETRY', 'RESUME'] as const)(
    'gets every row once after %s of a job that was held half-way',
    async (kind) => {
      const id = await runtime.launch({ spec: spec({ mode: 'REPLACE' }) });
      const { parsePipeline } = runtime.context(engine);
      const breaking = await runtime.worker(engine, {
        parsePipeline(stored) {
          const pipeline = parsePipeline(stored);
          const publish = () => Promise.reject(new SluiceError('CONSTRAINT_VIOLATION', 'On purpose.'));
          return { ...pipeline, sink: { ...pipeline.sink, publish } };
        },
      });
      await breaking.queue.hint(id);
      expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION', progress: { rowsLoaded: 3 } });
      const { actions } = actionsOf(runtime);
      expect(await actions.apply('default', id, aVerdict(kind))).toEqual({ outcome: 'APPLIED' });
      const entries = await warehouse.query('select from sluice_ledger.load');
      expect(entries.rowCount).toBe(kind === 'RETRY' ? 0 : 3);
      const { queue } = await runtime.worker(engine);
      await queue.hint(id);
      expect(await runtime.job(id)).toMatchObject({
        state: 'SUCCEEDED',
        progress: { rowsLoaded: 3, rowsQuarantined: 1 },
      });
      expect(await ids()).toEqual([1, 2, 3]);
      const staged = `select from pg_class where relname like '%sluice%' and relnamespace = 'public'::regnamespace`;
      expect((await warehouse.query(staged)).rowCount).toBe(0);
    },
  );

  it('that does not answer is a failure that passes', async () => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch({ spec: spec({ connection: 'gone' }) });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'RETRYING', error: { code: 'UNAVAILABLE' } });
  });

  it('that nobody configured is refused by name', async () => {
    await expect(runtime.stores.connections.withClient('nowhere', async () => 1)).rejects.toMatchObject({
      code: 'UNKNOWN_CONNECTION',
      message: 'There is no connection nowhere; configured are default, warehouse, gone.',
    });
    expect(runtime.stores.connections.isSystem('default')).toBe(true);
    expect(runtime.stores.connections.isSystem(null)).toBe(true);
    await expect(runtime.stores.connections.withClient('constructor', async () => 1)).rejects.toMatchObject({
      code: 'UNKNOWN_CONNECTION',
    });
  });
});
