import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSuccessMetricsService } from '../../src/jobs/monitors/success-metrics-service.js';
import type { Pool } from '../../src/store/pool.js';
import { createSuccessMetricsStore } from '../../src/store/success-metrics-store.js';
import { emptyDatabase } from '../support/database.js';
import { recordingLog } from '../support/gateway.js';
import { actionsOf, aVerdict } from '../support/held-job.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
let warehouse: Pool;
beforeAll(async () => {
  const foreign = await emptyDatabase();
  warehouse = foreign.pool;
  runtime = await aRuntime({ connections: { warehouse: foreign.url } });
});
afterEach(async () => {
  for (const pool of [runtime.pool, warehouse]) await pool.query('drop table if exists target');
  await runtime.pool.query('delete from sluice.job');
});

const PARTS = [[[1, 'secret one']], [[2, 'secret two']], [[3, 'secret three']]] as const;
const engine = partEngine({ parts: PARTS, bad: ['{}'] });
const sink = (more: object = {}) => aPipeline({ table: 'target', mode: 'APPEND', createTable: true, ...more }).json;
const spoil = (pool: Pool) =>
  pool.query(`create or replace function spoil() returns trigger language plpgsql as
      $$ begin if new.id = 2 then new.name = 'spoilt'; end if; return new; end $$;
    create trigger spoil before insert on target for each row execute function spoil()`);
/** What was logged of rows that were read back. */
const told = ({ lines }: ReturnType<typeof recordingLog>) => lines.filter(({ message }) => message.startsWith('rows '));
const counts = async (id: string) =>
  (
    await runtime.pool.query<Record<string, unknown>>(
      'select state, rows_rechecked::int as rechecked, rows_differing::int as differing from sluice.job where id = $1',
      [id],
    )
  ).rows[0];
const accuracy = async () => {
  const service = createSuccessMetricsService(createSuccessMetricsStore(runtime.pool));
  const metrics = await service.read({ tenant: 'default', name: 'test' }, 60_000);
  return metrics.find(({ name }) => name === 'TRANSFORMATION_ACCURACY');
};

describe('a job', () => {
  it.each([null, 'warehouse'])('counts the rows that it reads back (%s)', async (connection) => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch({ spec: sink(connection ? { connection } : {}) });
    await queue.hint(id);
    expect(await counts(id)).toEqual({ state: 'SUCCEEDED', rechecked: 3, differing: 0 });
    expect(await accuracy()).toMatchObject({ value: 100, samples: 4 });
  });

  it.each([null, 'warehouse'])(
    'succeeds when rows differ, and tells of it without their values (%s)',
    async (connection) => {
      const pool = connection ? warehouse : runtime.pool;
      await pool.query('create table target (id bigint primary key, name text)');
      await spoil(pool);
      const log = recordingLog();
      const { queue } = await runtime.worker(engine, { log });
      const id = await runtime.launch({ spec: sink(connection ? { connection } : {}) });
      await queue.hint(id);
      expect(await counts(id)).toEqual({ state: 'SUCCEEDED', rechecked: 3, differing: 1 });
      expect((await runtime.events(id)).at(-1)).toMatchObject({
        state: 'SUCCEEDED',
        message: '3 rows are loaded. Read back: 3, differing: 1.',
      });
      expect(told(log)).toEqual([
        {
          facts: { jobId: id, rechecked: 3, differing: 1, columns: ['name'] },
          message: 'rows in the target differ from those that were evaluated',
        },
      ]);
      // One of the three rows that were loaded, of the four that were read.
      expect(await accuracy()).toMatchObject({ value: 75, samples: 4 });
    },
  );

  it('names the part when rows of one differ', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const log = recordingLog();
    const one = partEngine({ parts: [PARTS.flat()] });
    const { queue } = await runtime.worker(one, {
      log,
      chunks: {
        ...runtime.stores.chunks,
        // As if somebody had put the trigger there between the plan and the load.
        async claimNext(...values) {
          const chunk = await runtime.stores.chunks.claimNext(...values);
          if (chunk !== null) await spoil(runtime.pool);
          return chunk;
        },
      },
    });
    const id = await runtime.launch({ spec: sink() });
    await queue.hint(id);
    expect(await counts(id)).toEqual({ state: 'SUCCEEDED', rechecked: 3, differing: 1 });
    expect(told(log)).toMatchObject([{ facts: { jobId: id, part: 0, rechecked: 3, differing: 1, columns: ['name'] } }]);
  });

  it('begins to count anew when a verdict begins it anew', async () => {
    const { queue } = await runtime.worker(engine, {
      chunks: { ...runtime.stores.chunks, finish: () => Promise.reject(new Error('out of order')) },
    });
    const id = await runtime.launch({ spec: sink(), maxAttempts: 1 });
    await queue.hint(id);
    expect(await counts(id)).toEqual({ state: 'AWAITING_DECISION', rechecked: 3, differing: 0 });
    const { actions } = actionsOf(runtime);
    expect(await actions.apply('default', id, aVerdict('RETRY'))).toEqual({ outcome: 'APPLIED' });
    expect(await counts(id)).toEqual({ state: 'QUEUED', rechecked: null, differing: 0 });
  });
});
