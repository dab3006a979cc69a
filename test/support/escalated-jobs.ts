import { expect } from 'vitest';
import { createEscalationService } from '../../escalation/create-service.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import type { Pipeline } from '../../src/engine/pipeline.js';
import { createJobService } from '../../src/jobs/create-job-service.js';
import type { WorkerContext } from '../../src/jobs/worker-context.js';
import { engineHome } from './engine-home.js';
import { anEscalationDesk } from './escalation-desk.js';
import { eventually } from './eventually.js';
import { testGateway } from './gateway.js';
import { handQueue } from './hand-queue.js';
import { actionsOf } from './held-job.js';

interface Launched {
  readonly job: { readonly id: string } | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string; readonly path: readonly string[] }[];
}

export interface Escalated {
  readonly state: string;
  readonly error: { readonly code: string; readonly details: Readonly<Record<string, unknown>> | null };
  readonly escalations: readonly {
    readonly id: string;
    readonly title: string;
    readonly rule: string;
    readonly failureClass: string;
    readonly asked: readonly { readonly id: string }[];
    readonly evidence: Readonly<Record<string, unknown>> & {
      readonly failure: { readonly details: Readonly<Record<string, unknown>> };
      readonly job: Readonly<Record<string, unknown>>;
    };
    readonly log: readonly { readonly kind: string; readonly data: Readonly<Record<string, unknown>> }[];
  }[];
}

const ESCALATED = `query ($id: ID!) { job(id: $id) { state error { code details }
  escalations { id title rule failureClass asked { id } evidence log { kind data } } } }`;

/**
 * Jobs from their launch over GraphQL to the escalation that asks about them: DuckDB evaluates, PostgreSQL keeps, and
 * nothing in between is made up. Call in `beforeAll`, and `desk.rest` after each test.
 */
export async function escalatedJobs() {
  const desk = await anEscalationDesk();
  const home = await engineHome();
  const { connections } = desk.stores;
  const { engine } = home;
  const { actions } = actionsOf(desk, (pipeline: Pipeline) =>
    engine.check(pipeline, (work) => connections.withClient(pipeline.sink.connection, work)),
  );
  const { options, escalationStores, chart, stores } = desk;
  const log = createLog('silent');
  const isKnownOwner = (id: string) => chart.agent(id) !== undefined;
  const gateway = await testGateway({
    jobs: createJobService({ ...stores, queue: handQueue(), engine, parsePipeline, isKnownOwner, log }),
    escalations: createEscalationService({ ...options, ...escalationStores, chart, jobActions: actions }),
  });

  async function launch(input: object): Promise<Launched> {
    const { data, errors } = await gateway.ask(
      `mutation ($input: LaunchEtlJobInput!) {
        launchEtlJob(input: $input) { job { id } userErrors { code message path } } }`,
      // A name of its own: the same failure of the same job would be an occurrence of the escalation that is open.
      { input: { name: `orders-${newId()}`, sink: { postgres: { table: 'target', createTable: true } }, ...input } },
    );
    expect(errors).toBeUndefined();
    // The document asks for exactly these fields.
    return data?.launchEtlJob as Launched;
  }

  /** Lets an escalator at it. @returns what the API tells of a job once somebody is asked about it */
  async function asked(id: string): Promise<Escalated> {
    await desk.engine({ jobActions: actions });
    const ofJob = 'select from sluice.failure_report where job_id = $1 and done';
    await eventually(async () => (await desk.pool.query(ofJob, [id])).rows.length > 0);
    const { data, errors } = await gateway.ask(ESCALATED, { id });
    expect(errors).toBeUndefined();
    // The document asks for exactly these fields.
    return data?.job as Escalated;
  }

  return {
    desk,
    home,
    gateway,
    launch,
    asked,

    /** Launches it, and lets a worker and an escalator at it. */
    async escalated(input: object, worker: Partial<WorkerContext> = {}): Promise<Escalated> {
      const { job, userErrors } = await launch(input);
      expect(userErrors).toEqual([]);
      const id = job?.id ?? '';
      const { queue } = await desk.worker(engine, worker);
      await queue.hint(id);
      return asked(id);
    },
  };
}

export type EscalatedJobs = Awaited<ReturnType<typeof escalatedJobs>>;
