import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { contentAddress } from '../../escalation/canonical-json.js';
import { NO_SETTINGS } from '../../escalation/job-settings.js';
import { REDACTED } from '../../escalation/secrets.js';
import { newId } from '../../src/core/ids.js';
import { anEscalationDesk, as, done, type EscalationDesk, seen, TENANT } from '../support/escalation-desk.js';
import { eventually } from '../support/eventually.js';
import type { Reported } from '../support/failure-report.js';

let desk: EscalationDesk;
beforeAll(async () => {
  desk = await anEscalationDesk();
});
afterEach(() => desk.rest());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A failure at a handover: its ladder has all four steps. */
const HANDOVER = { code: 'UNAVAILABLE', failureClass: 'TRANSIENT', details: { origin: 'hook' } } as const;
const CORRUPTION = { code: 'RECONCILIATION_FAILED', failureClass: 'DATA_CORRUPTION' } as const;

const throwsOnce = () => {
  let isLeft = true;
  return () => {
    if (!isLeft) return;
    isLeft = false;
    throw new Error('killed here');
  };
};

describe('taking up reports', () => {
  it('opens one escalation from 20 reports of the same failure, taken by three escalators at once', async () => {
    const pipeline = `burst-${newId()}`;
    const reports: Reported[] = [];
    for (let count = 0; count < 20; count += 1) reports.push(await desk.report({ pipeline }));
    await Promise.all([desk.engine(), desk.engine(), desk.engine()]);
    await eventually(async () => (await Promise.all(reports.map(desk.isDone))).every(Boolean));
    const escalations = await desk.of(pipeline);
    expect(escalations).toHaveLength(1);
    const [escalation] = escalations;
    expect(escalation).toMatchObject({
      occurrences: 20,
      failureClass: 'PIPELINE_DECISION',
      rule: 'expectation-failed',
    });
    if (!escalation) return;
    expect(await desk.notified(escalation)).toEqual(['ASK chief-2']);
    const kinds = (await desk.logOf(escalation)).map(({ kind }) => kind);
    expect(kinds).toHaveLength(20);
    expect(kinds.filter((kind) => kind === 'OCCURRED')).toHaveLength(19);
  });

  it('keeps apart what differs in pipeline, target or class', async () => {
    await desk.engine();
    const pipeline = `apart-${newId()}`;
    await desk.opened({ pipeline });
    await desk.opened({ pipeline, target: 'default.public.other' });
    await desk.opened({ pipeline, ...CORRUPTION });
    await desk.opened({ pipeline });
    expect((await desk.of(pipeline)).map(({ occurrences }) => occurrences).toSorted()).toEqual([1, 1, 2]);
  });

  it('asks nobody about what retrying mends, and lets a job go that waits all the same', async () => {
    await desk.engine();
    const [transient, invalid] = [await desk.heldJob(), await desk.heldJob()];
    const reports = [
      await desk.report({ jobId: transient, code: 'UNAVAILABLE', failureClass: 'TRANSIENT' }),
      await desk.report({ jobId: invalid, code: 'UNKNOWN_COLUMN', failureClass: 'INVALID_REQUEST' }),
    ];
    for (const report of reports) {
      await eventually(() => desk.isDone(report));
      expect(await desk.of(report.pipeline)).toEqual([]);
    }
    expect(await desk.jobState(transient)).toBe('QUEUED');
    expect(await desk.jobState(invalid)).toBe('FAILED');
  });

  it('follows what a job says about the class of its failures, and closes by it', async () => {
    await desk.engine();
    const classes = [{ code: 'EXPECTATION_FAILED', failureClass: 'CRITICAL_FAILURE' }];
    const jobId = await desk.heldJob('orders', { escalation: { classes } });
    const escalation = await desk.opened({ jobId });
    const { pipeline } = escalation;
    expect(escalation).toMatchObject({ failureClass: 'CRITICAL_FAILURE', rule: 'pipeline-override', confidence: 1 });
    expect(await desk.notified(escalation)).toEqual(['ASK agent-0', 'TELL chief-2']);
    expect(await desk.logOf(escalation)).toMatchObject([{ kind: 'OPEN', data: { rule: 'pipeline-override' } }]);
    const other = await desk.heldJob();
    expect(await desk.opened({ pipeline, jobId: other })).toMatchObject({ rule: 'expectation-failed', occurrences: 1 });
    expect(await desk.opened({ pipeline, jobId, code: 'JOB_TIMEOUT' })).toMatchObject({ occurrences: 2 });

    await desk.pool.query(`update sluice.job set state = 'SUCCEEDED' where id = $1`, [jobId]);
    await desk.report({ pipeline, jobId, kind: 'RECOVERED' });
    await desk.becomes(escalation, 'RESOLVED');
  });

  it('stores evidence that is redacted, named by its content, and knows similar escalations', async () => {
    await desk.engine();
    const pipeline = `evidence-${newId()}`;
    const first = await desk.opened({ pipeline, jobId: await desk.heldJob() });
    done(await desk.service.submitVerdict(as('chief-2'), seen(first), { kind: 'RETRY', patch: null, comment: null }));
    await desk.becomes(first, 'RESOLVED');

    desk.jobActions.facts = {
      stage: 'FINISHING',
      samples: [{ id: 1, email: 'ann@example.org' }],
      url: 'postgres://u:hunter2@db/x',
    };
    const jobId = await desk.heldJob('orders', { escalation: { sensitiveColumns: ['email'] } });
    const second = await desk.opened({ pipeline, jobId });
    expect(second.title).toBe(`${pipeline}: EXPECTATION_FAILED`);
    const evidence = await desk.service.evidence(TENANT, second);
    expect(evidence?.bundle).toMatchObject({
      failure: { code: 'EXPECTATION_FAILED' },
      job: { stage: 'FINISHING', samples: [{ id: 1, email: REDACTED }] },
      similar: [{ id: first.id, verdict: 'RETRY', outcome: 'APPLIED' }],
    });
    expect(JSON.stringify(evidence)).not.toContain('hunter2');
    expect(contentAddress(evidence?.bundle)).toBe(second.evidenceHash);
  });

  it('opens without the job when its evidence cannot be gathered', async () => {
    const evidence = async () => Promise.reject(new Error('not now'));
    await desk.engine({ jobActions: { ...desk.jobActions, evidence } });
    const escalation = await desk.opened({ jobId: await desk.heldJob() });
    expect((await desk.service.evidence(TENANT, escalation))?.bundle.job).toHaveProperty('missing');
  });
});

describe('climbing the ladder', () => {
  it('asks peer, domain, chief and CEO, each after the wait of the one before, and then holds', async () => {
    await desk.engine();
    let escalation = await desk.opened(HANDOVER);
    const steps = [
      ['layer-20', 30 * MINUTE],
      ['domain-3', 30 * MINUTE],
      ['chief-2', HOUR],
      ['agent-0', 2 * HOUR],
    ] as const;
    let base = escalation.openedAt.getTime();
    for (const [index, [agent, waitMs]] of steps.entries()) {
      expect(escalation.state).toMatchObject({ status: 'ASKING', step: index, asked: [agent] });
      // The first counts from the opening, each other one from the moment at which the one before was due.
      const lateMs = (escalation.state.dueAt?.getTime() ?? 0) - base - waitMs;
      if (index === 0) expect(Math.abs(lateMs)).toBeLessThan(5_000);
      else expect(lateMs).toBe(0);
      await desk.moveDue(escalation.id, -1);
      await eventually(async () => (await desk.get(escalation.id)).version > escalation.version);
      const moved = (await desk.logOf(escalation)).at(-1);
      escalation = await desk.get(escalation.id);
      base = new Date(String(moved?.data.dueAt)).getTime();
    }
    expect(escalation.state).toMatchObject({ status: 'HELD', dueAt: null });
    expect(await desk.notified(escalation)).toEqual(['ASK layer-20', 'ASK domain-3', 'ASK chief-2', 'ASK agent-0']);
  });

  it('moves on when whoever acknowledged, or claimed, stays silent', async () => {
    await desk.engine();
    const opened = await desk.opened(HANDOVER);
    const acknowledged = done(await desk.service.acknowledge(as('layer-20'), seen(opened)));
    expect(acknowledged.state).toMatchObject({ status: 'ACKNOWLEDGED', holder: 'layer-20', step: 0 });
    const domain = await desk.pass(acknowledged);
    expect(domain.state).toMatchObject({ status: 'ASKING', asked: ['domain-3'], holder: null });
    const claimed = done(await desk.service.claim(as('domain-3'), seen(domain), 60_000));
    expect(claimed.state).toMatchObject({ status: 'CLAIMED', holder: 'domain-3' });
    const chief = await desk.pass(claimed);
    expect(chief.state).toMatchObject({ status: 'ASKING', asked: ['chief-2'], holder: null });
  });

  it('asks one step after an outage, with its full wait, and not all that were missed', async () => {
    await desk.engine();
    const opened = await desk.opened(HANDOVER);
    const later = await desk.pass(opened, 100 * HOUR);
    expect(later.state).toMatchObject({ status: 'ASKING', asked: ['domain-3'] });
    const [leftMs] = await desk.column(
      'select extract(epoch from due_at - statement_timestamp())::float8 * 1000 from sluice.escalation where id = $1',
      [opened.id],
    );
    expect(leftMs).toBeGreaterThan(25 * MINUTE);
    expect(await desk.notified(opened)).toEqual(['ASK layer-20', 'ASK domain-3']);
  });

  it('goes to the step that would be asked now instead, when the policy that it began with says so', async () => {
    await desk.engine();
    const pipeline = `outage-${newId()}`;
    const steps = (['PEER', 'DOMAIN', 'CHIEF', 'CEO'] as const).map((role) => ({ ask: [{ role }], waitMs: HOUR }));
    const draft = { id: pipeline, failureClass: 'WORKFLOW_INTEGRATION', pipeline, steps };
    await desk.service.savePolicy(as('agent-0'), { ...draft, catchUp: 'SKIP_TO_CURRENT' }, 0);
    const opened = await desk.opened({ ...HANDOVER, pipeline });
    // Whoever changes the policy meanwhile changes what is opened from then on.
    await desk.service.savePolicy(as('agent-0'), draft, 1);
    const later = await desk.pass(opened, 100 * HOUR);
    expect(later.state).toMatchObject({ status: 'ASKING', asked: ['agent-0'] });
    expect(await desk.notified(opened)).toEqual(['ASK layer-20', 'ASK agent-0']);
  });

  it('moves many that are due at once, each one step', async () => {
    await desk.engine();
    const pipelines = Array.from({ length: 30 }, () => `many-${newId()}`);
    const opened = await Promise.all(pipelines.map((pipeline) => desk.opened({ pipeline, ...HANDOVER })));
    await Promise.all([desk.engine(), desk.engine()]);
    await desk.pool.query('update sluice.escalation set due_at = statement_timestamp() where pipeline = any($1)', [
      pipelines,
    ]);
    await desk.wake.tell('DUE', TENANT);
    await eventually(async () =>
      (await Promise.all(opened.map(({ id }) => desk.get(id)))).every(({ state }) => state.step === 1),
    );
    for (const one of opened) expect(await desk.notified(one)).toEqual(['ASK layer-20', 'ASK domain-3']);
  });

  it('asks again after everybody stayed silent, when it fails again after the grouping window', async () => {
    await desk.engine();
    const opened = await desk.opened();
    await desk.pass(opened);
    const held = await desk.pass(opened);
    expect(held.state.status).toBe('HELD');
    expect((await desk.opened({ pipeline: opened.pipeline })).state.status).toBe('HELD');
    await desk.pool.query(
      `update sluice.escalation set last_occurred_at = last_occurred_at - interval '2 hours' where id = $1`,
      [opened.id],
    );
    const anew = await desk.opened({ pipeline: opened.pipeline });
    expect(anew).toMatchObject({ id: opened.id, occurrences: 3, state: { status: 'ASKING', asked: ['chief-2'] } });
    expect(await desk.notified(opened)).toEqual(['ASK chief-2', 'ASK agent-0', 'ASK chief-2']);
  });

  it('acts by itself at the end when the policy says so', async () => {
    await desk.engine();
    const pipeline = `end-${newId()}`;
    const step = { ask: [{ role: 'CHIEF' }], waitMs: HOUR, allowedVerdicts: ['RETRY'] };
    const draft = { id: pipeline, failureClass: 'PIPELINE_DECISION', pipeline, steps: [step], endAction: 'ABORT' };
    await desk.service.savePolicy(as('agent-0'), draft, 0);
    const jobId = await desk.heldJob();
    const opened = await desk.opened({ pipeline, jobId });
    expect(opened).toMatchObject({ policyId: pipeline, policyVersion: 1 });
    await desk.moveDue(opened.id, -1);
    await desk.becomes(opened, 'RESOLVED');
    expect(await desk.jobState(jobId)).toBe('FAILED');
    expect(desk.jobActions.acts).toMatchObject([{ jobId, verdict: { kind: 'ABORT', agent: 'engine' } }]);
  });
});

describe('carrying out verdicts', () => {
  const RETRY = { kind: 'RETRY', patch: null, comment: 'Again.' } as const;

  it('acts once on the job and writes the outcome back', async () => {
    await desk.engine();
    const jobId = await desk.heldJob();
    const opened = await desk.opened({ jobId });
    const decided = done(await desk.service.submitVerdict(as('chief-2'), seen(opened), RETRY));
    expect(decided.state).toMatchObject({ status: 'DECIDED', verdict: { kind: 'RETRY', agent: 'chief-2' } });
    const resolved = await desk.becomes(opened, 'RESOLVED');
    expect(resolved.resolvedAt).not.toBeNull();
    expect(desk.jobActions.acts).toMatchObject([{ jobId, verdict: { id: decided.state.verdict?.id } }]);
    expect((await desk.logOf(opened)).map(({ kind }) => kind)).toEqual(['OPEN', 'DECIDE', 'APPLIED']);
  });

  it('releases every job that the escalation holds', async () => {
    await desk.engine();
    const pipeline = `folded-${newId()}`;
    const jobs = [await desk.heldJob(), await desk.heldJob(), await desk.heldJob()];
    for (const jobId of jobs) await desk.opened({ pipeline, jobId });
    const [opened] = await desk.of(pipeline);
    if (!opened) throw new Error('none is open');
    expect(opened.occurrences).toBe(3);
    done(await desk.service.submitVerdict(as('chief-2'), seen(opened), RETRY));
    await desk.becomes(opened, 'RESOLVED');
    expect(desk.jobActions.acts.map(({ jobId }) => jobId).toSorted()).toEqual(jobs.toSorted());
    expect(await Promise.all(jobs.map(desk.jobState))).toEqual(['QUEUED', 'QUEUED', 'QUEUED']);
  });

  it.each(['before', 'after'] as const)('acts once when it dies %s the act', async (place) => {
    desk.jobActions[place] = throwsOnce();
    const jobId = await desk.heldJob();
    await desk.engine();
    await desk.engine();
    const opened = await desk.opened({ jobId });
    done(await desk.service.submitVerdict(as('chief-2'), seen(opened), RETRY));
    await desk.becomes(opened, 'RESOLVED');
    expect(desk.jobActions.acts).toHaveLength(1);
    expect(await desk.jobState(jobId)).toBe('QUEUED');
  });

  it('acts once when it dies before the outcome is written back', async () => {
    const { escalations } = desk.options;
    const dies = throwsOnce();
    const change: typeof escalations.change = async (one) => {
      if (one.event.kind === 'APPLIED') dies();
      return escalations.change(one);
    };
    await desk.engine({ escalations: { ...escalations, change } });
    const opened = await desk.opened({ jobId: await desk.heldJob() });
    done(await desk.service.submitVerdict(as('chief-2'), seen(opened), RETRY));
    await desk.becomes(opened, 'RESOLVED');
    expect(desk.jobActions.acts).toHaveLength(1);
    expect((await desk.logOf(opened)).filter(({ kind }) => kind === 'APPLIED')).toHaveLength(1);
  });

  it('asks again when the job refuses, and opens anew for a job that fails while a verdict acts', async () => {
    desk.jobActions.refusal = ({ kind }) => (kind === 'RESUME' ? 'There is no committed part.' : null);
    await desk.engine();
    const pipeline = `refused-${newId()}`;
    const jobId = await desk.heldJob();
    const opened = await desk.opened({ pipeline, jobId });
    done(await desk.service.submitVerdict(as('chief-2'), seen(opened), { ...RETRY, kind: 'RESUME' }));
    await eventually(async () => (await desk.get(opened.id)).version >= opened.version + 2);
    const asked = await desk.get(opened.id);
    expect(asked.state).toMatchObject({ status: 'ASKING', asked: ['chief-2'], verdict: null });
    expect(await desk.notified(opened)).toEqual(['ASK chief-2', 'ASK chief-2']);
    expect(JSON.stringify((await desk.logOf(opened)).at(-1)?.data)).toContain('no committed part');

    // The verdict waits for this before it acts; the report that comes meanwhile is not lost in it.
    let isHeld = true;
    desk.jobActions.before = () => {
      if (isHeld) throw new Error('not yet');
    };
    const second = done(await desk.service.submitVerdict(as('chief-2'), seen(asked), RETRY));
    expect(second.state.status).toBe('DECIDED');
    const late = await desk.report({ pipeline, jobId: await desk.heldJob() });
    await desk.becomes(opened, 'DECIDED');
    isHeld = false;
    await desk.becomes(opened, 'RESOLVED');
    await eventually(() => desk.isDone(late), 15_000);
    const [, anew] = await desk.of(pipeline);
    expect(anew).toMatchObject({ jobId: late.jobId, occurrences: 1, state: { status: 'ASKING' } });
  });

  it('pauses a target whose data may be wrong until it is decided', async () => {
    const paused = () => desk.column('select escalation_id from sluice.target_pause where target = $1', [target]);
    const target = `default.public.t_${newId()}`;
    await desk.engine();
    const opened = await desk.opened({ ...CORRUPTION, target, jobId: await desk.heldJob() });
    expect(opened.state.asked).toEqual(['agent-0']);
    expect(await paused()).toEqual([opened.id]);
    done(await desk.service.submitVerdict(as('agent-0'), seen(opened), { ...RETRY, kind: 'ABORT' }));
    await desk.becomes(opened, 'RESOLVED');
    await eventually(async () => (await paused()).length === 0);
    const reopened = done(await desk.service.reopen(as('agent-0'), seen(await desk.get(opened.id))));
    expect(reopened.state.status).toBe('ASKING');
    expect(await paused()).toEqual([opened.id]);
  });

  it('keeps a job held whose target is paused by a verdict, and releases both by the next', async () => {
    const paused = () => desk.column('select escalation_id from sluice.target_pause where target = $1', [target]);
    const target = `default.public.t_${newId()}`;
    await desk.engine();
    const jobId = await desk.heldJob();
    const opened = await desk.opened({ target, jobId });
    done(await desk.service.submitVerdict(as('chief-2'), seen(opened), { ...RETRY, kind: 'PAUSE_TARGET' }));
    const held = await desk.becomes(opened, 'HELD');
    expect(await paused()).toEqual([opened.id]);
    expect(await desk.jobState(jobId)).toBe('AWAITING_DECISION');
    done(await desk.service.submitVerdict(as('chief-2'), seen(held), RETRY));
    await desk.becomes(opened, 'RESOLVED');
    await eventually(async () => (await paused()).length === 0);
    expect(await desk.jobState(jobId)).toBe('QUEUED');
  });
});

describe('what recovers', () => {
  it('closes by itself, for a monitor and for a job', async () => {
    await desk.engine();
    const monitor = {
      source: 'MONITOR',
      code: 'OBJECTIVE_MISSED',
      failureClass: 'QUEUE_PERFORMANCE',
      target: null,
    } as const;
    const backlog = await desk.opened(monitor);
    await desk.report({ ...monitor, pipeline: backlog.pipeline, kind: 'RECOVERED' });
    await desk.becomes(backlog, 'RESOLVED');

    const jobId = await desk.heldJob();
    const failed = await desk.opened({ jobId });
    await desk.pool.query(`update sluice.job set state = 'SUCCEEDED' where id = $1`, [jobId]);
    await desk.report({ jobId, pipeline: failed.pipeline, kind: 'RECOVERED' });
    await desk.becomes(failed, 'RESOLVED');
    expect((await desk.logOf(failed)).at(-1)).toMatchObject({ kind: 'RECOVER', actor: 'job' });
  });

  it('stays open for a job that is held for the same at the very moment', async () => {
    const { escalations } = desk.options;
    const pipeline = `late-${newId()}`;
    const [first, second] = [await desk.heldJob(), await desk.heldJob()];
    const opener = await desk.engine();
    const opened = await desk.opened({ pipeline, jobId: first });
    await opener.stop();
    await desk.pool.query(`update sluice.job set state = 'SUCCEEDED' where id = $1`, [first]);
    const late = await desk.report({ pipeline, jobId: second });
    // In the hands of another escalator, who folds it in right before the recovery is stored.
    await desk.pool.query(
      `update sluice.failure_report set lease_until = statement_timestamp() + interval '1 hour' where id = $1`,
      [late.id],
    );
    const change: typeof escalations.change = async (decided) => {
      await escalations.occurred(opened, { ...late, settings: NO_SETTINGS });
      return escalations.change(decided);
    };
    await desk.engine({ escalations: { ...escalations, change } });
    const recovery = await desk.report({ pipeline, jobId: first, kind: 'RECOVERED' });
    await eventually(() => desk.isDone(recovery));
    expect((await desk.logOf(opened)).map(({ kind }) => kind)).toEqual(['OPEN', 'OCCURRED']);
    expect((await desk.get(opened.id)).state.status).toBe('ASKING');
  });

  it('stays open while another job waits for its verdict, and when the policy wants a decision', async () => {
    await desk.engine();
    const pipeline = `waits-${newId()}`;
    const [first, second] = [await desk.heldJob(), await desk.heldJob()];
    const opened = await desk.opened({ pipeline, jobId: first });
    await desk.opened({ pipeline, jobId: second });
    await desk.pool.query(`update sluice.job set state = 'SUCCEEDED' where id = $1`, [first]);
    const corrupt = await desk.opened({ ...CORRUPTION });
    const reports = [
      await desk.report({ pipeline, jobId: first, kind: 'RECOVERED' }),
      await desk.report({ ...CORRUPTION, pipeline: corrupt.pipeline, kind: 'RECOVERED' }),
    ];
    for (const report of reports) await eventually(() => desk.isDone(report));
    expect((await desk.get(opened.id)).state.status).toBe('ASKING');
    expect((await desk.get(corrupt.id)).state.status).toBe('ASKING');
  });
});
