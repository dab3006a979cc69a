import fc from 'fast-check';
import { beforeAll, expect, it, vi } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { startRunner } from '../../src/jobs/runner.js';
import type { WorkerContext } from '../../src/jobs/worker-context.js';
import { handQueue } from '../support/hand-queue.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';

vi.setConfig({ testTimeout: 120_000 });

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});

const ROWS = 12;
const BAD = 2;
const RUNS = 40;
const MOST_HINTS = 40;

const never = () => new Promise<never>(() => undefined);
type Moment = 'BEFORE' | 'INSIDE' | 'AFTER';

/**
 * The context of a worker that dies at one of its calls into the stores: from then on nothing of it goes on. `INSIDE` is
 * within the transaction of a call that does the worker's work in it, which the server takes back then.
 */
function mortal(context: WorkerContext, at: number, moment: Moment) {
  let calls = 0;
  let die: () => void = () => undefined;
  let isDead = false;
  const death = new Promise<void>((resolve) => {
    die = () => {
      isDead = true;
      resolve();
    };
  });
  const dying = () => {
    die();
    return never();
  };
  const dyingInside =
    (work: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      void work;
      void args;
      die();
      throw new Error('the process is gone');
    };
  const wrap = <T extends object>(store: T): T =>
    new Proxy(store, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          if (isDead) return never();
          calls += 1;
          const isLast = calls === at;
          if (isLast && moment === 'BEFORE') return dying();
          const inside = isLast && moment === 'INSIDE';
          const given = inside
            ? args.map((arg) => (typeof arg === 'function' ? dyingInside(arg as () => unknown) : arg))
            : args;
          try {
            const answer: unknown = await method.apply(target, given);
            return isLast ? dying() : answer;
          } catch (error) {
            if (isDead || isLast) return dying();
            throw error;
          }
        };
      },
    });
  return {
    death,
    context: {
      ...context,
      attempts: wrap(context.attempts),
      chunks: wrap(context.chunks),
      reports: wrap(context.reports),
      staging: wrap(context.staging),
    } satisfies WorkerContext,
  };
}

/** Six seconds pass, and every retry is due. */
async function timePasses(id: string): Promise<void> {
  await runtime.pool.query(
    `update sluice.chunk set lease_until = statement_timestamp() - interval '1 ms'
    where job_id = $1 and lease_token is not null`,
    [id],
  );
  await runtime.pool.query(
    `update sluice.chunk set due_at = statement_timestamp() where job_id = $1 and due_at is not null`,
    [id],
  );
  await runtime.pool.query(
    `update sluice.job set updated_at = updated_at - interval '6 s',
       lease_until = case when lease_until is not null then statement_timestamp() - interval '1 ms' end,
       due_at = case when due_at is not null then statement_timestamp() end where id = $1`,
    [id],
  );
  await runtime.stores.sweep.due(10);
  await runtime.stores.sweep.takeOver(10, 1, 10);
}

const partition = fc
  .array(fc.integer({ min: 1, max: ROWS }), { minLength: 1, maxLength: 6 })
  .map((cuts) => [...new Set(cuts.filter((cut) => cut < ROWS))].sort((a, b) => a - b));
const sinks = fc.constantFrom(
  { mode: 'APPEND' },
  { mode: 'APPEND', staged: true },
  { mode: 'UPSERT', key: ['id'] },
  { mode: 'REPLACE' },
);
const deaths = fc.array(
  fc.record({
    at: fc.integer({ min: 1, max: 25 }),
    moment: fc.constantFrom<Moment>('BEFORE', 'INSIDE', 'AFTER'),
  }),
  { minLength: 1, maxLength: 4 },
);

it('any size of parts, any number of workers and any points of death lead to the same target', async () => {
  await fc.assert(
    fc.asyncProperty(partition, sinks, deaths, fc.integer({ min: 1, max: 3 }), async (cuts, sink, dying, workers) => {
      await runtime.pool.query(
        `drop table if exists target; create table target (id bigint ${sink.mode === 'UPSERT' ? 'primary key' : ''}, name text)`,
      );
      if (sink.mode === 'REPLACE') await runtime.pool.query(`insert into target values (99, 'earlier')`);
      const bounds = [0, ...cuts, ROWS];
      const parts = cuts.concat(ROWS).map((end, i) =>
        Array.from({ length: end - (bounds[i] ?? 0) }, (_, k) => {
          const id = (bounds[i] ?? 0) + k;
          return [id, `name ${id}`] as const;
        }),
      );
      const engine = partEngine({ parts, bad: Array.from({ length: BAD }, (_, i) => `{"id":"bad ${i}"}`) });
      const { json } = aPipeline({ table: 'target', ...sink });
      const id = await runtime.launch({ spec: json, maxAttempts: 10 });

      // Some at once, each of whom dies at its point; then one who lives.
      const waiting = [...dying];
      while (waiting.length > 0) {
        const together = waiting.splice(0, workers).map(async ({ at, moment }) => {
          const queue = handQueue();
          const { context, death } = mortal(
            { ...runtime.context(engine, queue), worker: `mortal:${newId()}` },
            at,
            moment,
          );
          await startRunner(context, 2);
          await Promise.race([queue.hint(id), death]);
        });
        await Promise.all(together);
        await timePasses(id);
      }
      const queue = handQueue();
      const runner = await startRunner(runtime.context(engine, queue), 2);
      for (let hints = 0; hints < MOST_HINTS && (await runtime.job(id)).state !== 'SUCCEEDED'; hints += 1) {
        await queue.hint(id);
        await timePasses(id);
      }
      await runner.stop();

      const job = await runtime.job(id);
      expect(job.state, JSON.stringify(job.error)).toBe('SUCCEEDED');
      expect(job.progress).toMatchObject({ rowsRead: ROWS + BAD, rowsLoaded: ROWS, rowsQuarantined: BAD });
      expect(job.progress.chunksDone).toBe(parts.length + 1);
      expect(await runtime.column('select id::int from target order by id')).toEqual(
        Array.from({ length: ROWS }, (_, i) => i),
      );
      expect(await runtime.column('select raw from sluice.quarantine where job_id = $1 order by raw', [id])).toEqual(
        Array.from({ length: BAD }, (_, i) => `{"id":"bad ${i}"}`),
      );
      const events = await runtime.events(id);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    }),
    { numRuns: RUNS },
  );
});
