import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startRunner } from '../../src/jobs/runner.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { handQueue } from '../support/hand-queue.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
beforeEach(() => runtime.pool.query('create table target (id bigint, name text)'));
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job'));

const engine = partEngine({ parts: Array.from({ length: 6 }, (_, i) => [[i, `row ${i}`]] as const) });
const ids = () => runtime.column('select id::int from target order by id');
const attempts = async (id: string) =>
  (await runtime.stores.jobs.attempts('default', id, 10)).map(({ number, outcome }) => [number, outcome]);

/** A runner whose parts wait for the test, each under its ordinal; with a grace of its own. */
async function aStoppingRunner(graceMs: number) {
  const queue = handQueue();
  const gates = [gate(), gate()];
  const reached = new Set<number>();
  const base = runtime.context(engine, queue);
  const runner = await startRunner(
    {
      ...base,
      parsePipeline(spec) {
        const pipeline = base.parsePipeline(spec);
        const load: typeof pipeline.sink.load = async (tx, prepared, part) => {
          reached.add(part.ordinal);
          await gates[part.ordinal]?.wait(tx.signal);
          return pipeline.sink.load(tx, prepared, part);
        };
        return { ...pipeline, sink: { ...pipeline.sink, load } };
      },
    },
    2,
    graceMs,
  );
  return { queue, runner, gates, reached };
}

it('commits both parts that it has in hand within its grace, begins no other, and offers the rest again', async () => {
  const { queue, runner, gates, reached } = await aStoppingRunner(60_000);
  const id = await runtime.launch();
  const handled = queue.hint(id);
  await eventually(() => reached.size === 2);
  const stopped = runner.stop();
  // The one that is through first sees that it is to stop, and must not take the other one with it.
  gates[0]?.open();
  await eventually(async () => (await runtime.job(id)).progress.chunksDone === 1);
  gates[1]?.open();
  await Promise.all([stopped, handled]);
  expect(await ids()).toEqual([0, 1]);
  expect(queue.offers.at(-1)).toMatchObject({ jobId: id });
  // As the hint finds it: nobody waits for a lease.
  const other = await runtime.worker(engine);
  await other.queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 6 } });
  expect(await ids()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await attempts(id)).toEqual([[1, 'SUCCEEDED']]);
});

it('cuts parts off that take longer than the grace, and another worker goes on with them at once', async () => {
  const { queue, runner, reached } = await aStoppingRunner(10);
  const id = await runtime.launch();
  const handled = queue.hint(id);
  await eventually(() => reached.size === 2);
  await Promise.all([runner.stop(), handled]);
  expect(queue.offers.at(-1)).toMatchObject({ jobId: id });
  expect(await runtime.column('select lease_token from sluice.chunk where lease_token is not null')).toEqual([]);
  expect(await runtime.column('select lease_until from sluice.job')).toEqual([null]);
  const other = await runtime.worker(engine);
  await other.queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  expect(await ids()).toEqual([0, 1, 2, 3, 4, 5]);
});

it('gives a hint back that comes while it stops, whatever word it came under', async () => {
  const { queue, runner } = await aStoppingRunner(10);
  await runner.stop();
  await queue.hint('0192aaaa-0000-7000-8000-000000000001');
  expect(queue.offers).toEqual([{ jobId: '0192aaaa-0000-7000-8000-000000000001', options: {} }]);
});
