import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { anEscalationDesk, as, done, type EscalationDesk, seen, TENANT } from '../support/escalation-desk.js';
import { eventually } from '../support/eventually.js';
import { type TestGateway, testGateway } from '../support/gateway.js';

let desk: EscalationDesk;
let gateway: TestGateway;
beforeAll(async () => {
  desk = await anEscalationDesk();
  gateway = await testGateway({ escalations: desk.service });
});
afterEach(() => desk.rest());

const CHIEF = as('chief-2');
const JOBS_HELD = expect.objectContaining({ code: 'JOBS_HELD' });
const resolve = async (id: string) => desk.service.resolve(CHIEF, seen(await desk.get(id)), null);
const cancel = (jobId: string) => desk.stores.jobs.requestCancel(TENANT, jobId);

/** Jobs that wait for a decision that nobody is asked for. */
const forgotten = () =>
  desk.column(
    `select id from sluice.job where state = 'AWAITING_DECISION'
       and not exists (select from sluice.failure_report where job_id = job.id and not done)
       and not exists (select from sluice.escalation as e where e.status <> 'RESOLVED' and (e.job_id = job.id
         or e.id in (select escalation_id from sluice.failure_report where job_id = job.id)))`,
  );

/** Runs `work` while nobody can write to the log, which everybody does last: what it starts is stopped half-way. */
async function withLogLocked(work: (isWaiting: (sessions: number) => Promise<void>) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: desk.url });
  await client.connect();
  try {
    await client.query('begin; select 1 from sluice.escalation_log_head for update');
    await work((sessions) =>
      eventually(async () => {
        const { rows } = await client.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length >= sessions;
      }),
    );
    await client.query('commit');
  } finally {
    await client.end();
  }
}

describe('closing an escalation without a verdict', () => {
  it('is refused while a job waits for its decision, and done when none does any more', async () => {
    await desk.engine();
    const pipeline = `held-${newId()}`;
    const jobs = [await desk.heldJob(), await desk.heldJob()] as const;
    const opened = await desk.opened({ pipeline, jobId: jobs[0] });
    await desk.opened({ pipeline, jobId: jobs[1] });
    await expect(resolve(opened.id)).rejects.toThrow('2 jobs are still held');
    await cancel(jobs[0]);
    await expect(resolve(opened.id)).rejects.toThrow(`Job ${jobs[1]} is still held`);
    expect(await desk.get(opened.id)).toMatchObject({ state: { status: 'ASKING' } });
    await cancel(jobs[1]);
    expect(done(await resolve(opened.id))).toMatchObject({ state: { status: 'RESOLVED' } });
  });

  it('is refused over the API with what to do, and a verdict closes it instead', async () => {
    await desk.engine();
    const jobId = await desk.heldJob();
    const { id } = await desk.opened({ jobId });
    const write = async (mutation: string, type: string, more: object) => {
      const input = { id, expectedVersion: (await desk.get(id)).version, agent: 'chief-2', ...more };
      const { data, errors } = await gateway.ask(
        `mutation ($input: ${type}!) { answer: ${mutation}(input: $input) {
          escalation { status } userErrors { code message path } } }`,
        { input },
      );
      expect(errors).toBeUndefined();
      return data?.answer;
    };
    expect(await write('resolveEscalation', 'ResolveEscalationInput', { comment: 'It is over.' })).toEqual({
      escalation: null,
      userErrors: [{ code: 'JOBS_HELD', message: expect.stringContaining('submit a verdict'), path: [] }],
    });
    const abort = await write('submitVerdict', 'SubmitVerdictInput', { kind: 'ABORT' });
    expect(abort).toMatchObject({ escalation: { status: 'DECIDED' }, userErrors: [] });
    await desk.becomes({ id }, 'RESOLVED');
    expect(await desk.jobState(jobId)).toBe('FAILED');
  });

  it('leaves a job to the other escalation that holds it, but not when both close at once', async () => {
    await desk.engine();
    for (let round = 0; round < 10; round += 1) {
      const jobId = await desk.heldJob();
      const opened = await desk.opened({ jobId });
      const byHand = await desk.service.open(CHIEF, {
        ...{ failureClass: 'WORKFLOW_INTEGRATION', pipeline: opened.pipeline, target: null, owner: 'layer-12' },
        ...{ message: 'I look into it.', jobId },
      });
      const ends = await Promise.allSettled([resolve(opened.id), resolve(byHand.id)]);
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(ends).toContainEqual({ status: 'rejected', reason: JOBS_HELD });
    }
    expect(await forgotten()).toEqual([]);
  });
});

describe('a job that comes to be held while its escalation closes', () => {
  it('keeps it open when it was counted before', async () => {
    const engine = await desk.engine();
    const opened = await desk.opened();
    await engine.stop();
    const late = await desk.report({ pipeline: opened.pipeline, jobId: await desk.heldJob() });
    let closing: Promise<unknown> | undefined;
    await withLogLocked(async (isWaiting) => {
      await desk.engine();
      await isWaiting(1);
      closing = resolve(opened.id).catch((error: unknown) => error);
      await isWaiting(2);
    });
    expect(await closing).toEqual(JOBS_HELD);
    await eventually(() => desk.isDone(late));
    expect(await desk.get(opened.id)).toMatchObject({ occurrences: 2, state: { status: 'ASKING' } });
  });

  it.each(['somebody', 'what failed'])('opens one of its own when it comes after %s has closed it', async (who) => {
    const engine = await desk.engine();
    const opened = await desk.opened();
    await engine.stop();
    let closing: Promise<unknown> = Promise.resolve();
    await withLogLocked(async (isWaiting) => {
      if (who === 'somebody') closing = resolve(opened.id);
      else await desk.report({ pipeline: opened.pipeline, kind: 'RECOVERED' });
      await desk.engine();
      await isWaiting(1);
      await desk.report({ pipeline: opened.pipeline, jobId: await desk.heldJob() });
      await desk.engine();
      await isWaiting(2);
    });
    await closing;
    await eventually(async () => (await desk.of(opened.pipeline)).length === 2);
    const [closed, anew] = await desk.of(opened.pipeline);
    expect(closed).toMatchObject({ id: opened.id, occurrences: 1, state: { status: 'RESOLVED' } });
    expect(anew).toMatchObject({ occurrences: 1, state: { status: 'ASKING' } });
    expect(await forgotten()).toEqual([]);
  });

  it('is never forgotten, whoever closes, recovers and fails at once', async () => {
    await Promise.all([desk.engine(), desk.engine(), desk.engine()]);
    for (let round = 0; round < 10; round += 1) {
      const opened = await desk.opened();
      const { pipeline } = opened;
      const acts = await Promise.allSettled([
        resolve(opened.id),
        desk.report({ pipeline, jobId: await desk.heldJob() }),
        desk.report({ pipeline, kind: 'RECOVERED' }),
        desk.report({ pipeline, jobId: await desk.heldJob() }),
        resolve(opened.id),
      ]);
      for (const act of acts) if (act.status === 'rejected') expect(act.reason.code).toMatch(/JOBS_HELD|_CLOSED/);
      await eventually(
        async () => (await desk.column('select from sluice.failure_report where not done')).length === 0,
      );
    }
    expect(await forgotten()).toEqual([]);
  });
});
