import { afterEach, beforeAll, expect, it } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import { type EscalatedJobs, escalatedJobs } from '../support/escalated-jobs.js';

let jobs: EscalatedJobs;
beforeAll(async () => {
  jobs = await escalatedJobs();
});
afterEach(() => jobs.desk.rest());

const source = { records: { rows: [{ id: 1 }, { id: 1 }] } };

it('a key that stands twice once everything is loaded is corrupt data: the CEO is asked, and the target paused', async () => {
  await jobs.desk.pool.query('create table keyed (id bigint unique)');
  const job = await jobs.escalated({ source, sink: { postgres: { table: 'keyed', mode: 'REPLACE' } } });
  expect(job).toMatchObject({ state: 'AWAITING_DECISION', error: { code: 'CONSTRAINT_VIOLATION' } });
  expect(job.error.details).not.toHaveProperty('stage');
  expect(job.escalations).toMatchObject([
    {
      ...{ failureClass: 'DATA_CORRUPTION', rule: 'duplicate-key-after-load', asked: [{ id: 'agent-0' }] },
      evidence: { failure: { details: { sqlState: '23505', stage: 'FINISHING' } }, job: { stage: 'FINISHING' } },
    },
  ]);
  expect(await jobs.desk.column('select target from sluice.target_pause')).toEqual(['default.public.keyed']);
});

it('a row that the target refuses while parts are loaded is for whoever answers for the pipeline', async () => {
  const { parsePipeline } = jobs.desk.context(jobs.home.engine);
  const job = await jobs.escalated(
    { source },
    {
      parsePipeline(spec) {
        const pipeline = parsePipeline(spec);
        // As PostgreSQL says it when a trigger of the target inserts into another table.
        const load: typeof pipeline.sink.load = async ({ client }) => {
          await client.query('create temporary table other (id int unique); insert into other values (1), (1)');
          return { rows: 0, recheck: null };
        };
        return { ...pipeline, sink: { ...pipeline.sink, load } };
      },
    },
  );
  expect(job.escalations).toMatchObject([
    {
      ...{ failureClass: 'PIPELINE_DECISION', rule: 'constraint-refused', asked: [{ id: 'chief-2' }] },
      evidence: { failure: { details: { sqlState: '23505', stage: 'LOADING' } } },
    },
  ]);
});

it('what fails at a handover is for the peer, whatever the error is', async () => {
  const { parsePipeline } = jobs.desk.context(jobs.home.engine);
  const job = await jobs.escalated(
    { source },
    {
      parsePipeline(spec) {
        const pipeline = parsePipeline(spec);
        const prepare: typeof pipeline.sink.prepare = () => {
          throw new SluiceError('INTERNAL', 'The job before this one has left nothing.', { origin: 'upstream' });
        };
        return { ...pipeline, sink: { ...pipeline.sink, prepare } };
      },
    },
  );
  expect(job.error.details).toEqual({ origin: 'upstream' });
  expect(job.escalations).toMatchObject([
    {
      ...{ failureClass: 'WORKFLOW_INTEGRATION', rule: 'handover-failed', asked: [{ id: 'layer-20' }] },
      evidence: { failure: { details: { origin: 'upstream', stage: 'EVALUATING' } } },
    },
  ]);
});
