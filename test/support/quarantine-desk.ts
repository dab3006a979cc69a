import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { createJobService } from '../../src/jobs/create-job-service.js';
import { createQuarantineService } from '../../src/jobs/quarantine/create-quarantine-service.js';
import { emptyDatabase } from './database.js';
import { engineHome } from './engine-home.js';
import { gate } from './gate.js';
import { testGateway } from './gateway.js';
import { handQueue } from './hand-queue.js';
import { aRuntime, type TestWorker } from './runtime.js';

const log = createLog('silent');

/**
 * A gateway over real stores and the real engine, and workers in the hands of the test: rows go from a file into the
 * quarantine, and from there into the target. Call in `beforeAll`.
 */
export async function quarantineDesk() {
  const warehouse = await emptyDatabase();
  const runtime = await aRuntime({ connections: { warehouse: warehouse.url } });
  const home = await engineHome();
  const { engine } = home;
  const { stores } = runtime;
  const queue = handQueue();
  const deps = { ...stores, engine, parsePipeline, queue, log };
  const jobs = createJobService({ ...deps, isKnownOwner: () => true });
  const quarantine = createQuarantineService(deps);
  const gateway = await testGateway({ jobs, quarantine });
  let files = 0;

  return {
    runtime,
    /** Another database that sinks may write to, by this name. */
    warehouse: warehouse.pool,
    home,
    engine,
    queue,
    jobs,
    quarantine,
    gateway,
    parsePipeline,
    worker: (changes: Parameters<typeof runtime.worker>[1] = {}): Promise<TestWorker> =>
      runtime.worker(engine, { files: home.files, ...changes }),

    /** Launches a job over a file of this content and runs it to its end. @returns its id */
    async load(content: string, { source = 'csv', ...spec }: Readonly<Record<string, unknown>> = {}): Promise<string> {
      files += 1;
      const uri = await home.write(`file-${files}.txt`, content);
      const { job } = await jobs.launchEtl(
        { tenant: 'default', name: 'test' },
        {
          name: 'test',
          owner: 'layer-12',
          idempotencyKey: null,
          priority: 0,
          pipeline: {
            source: typeof source === 'string' ? { [source]: { uri } } : source,
            options: { errorBudget: {}, onFailure: 'FAIL' },
            ...spec,
          },
        },
      );
      await this.run(job.id);
      return job.id;
    },

    /** Lets a worker take a job, from its claim until it ends or waits. */
    async run(id: string): Promise<void> {
      const { queue: hints, runner } = await this.worker();
      await hints.hint(id);
      await runner.stop();
    },

    /** A service that lays rows to be fixed and then waits for the test. */
    pausedAfterLaying() {
      const { open, isReached, wait } = gate();
      const quarantineChanges: typeof stores.quarantineChanges = {
        ...stores.quarantineChanges,
        async layRows(...request) {
          await stores.quarantineChanges.layRows(...request);
          await wait(new AbortController().signal);
        },
      };
      const changes = createQuarantineService({ ...deps, quarantineChanges });
      return { changes, isLaid: isReached, goOn: open };
    },

    /** The data of a query or mutation that must not fail. */
    async ask(query: string, variables: object = {}): Promise<Readonly<Record<string, unknown>>> {
      const { data, errors } = await gateway.ask(query, variables);
      if (errors) throw new Error(JSON.stringify(errors));
      return data ?? {};
    },
  };
}

export type QuarantineDesk = Awaited<ReturnType<typeof quarantineDesk>>;
