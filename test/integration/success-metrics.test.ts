import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSuccessMetricsService } from '../../src/jobs/monitors/success-metrics-service.js';
import { createSuccessMetricsStore } from '../../src/store/success-metrics-store.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { testGateway } from '../support/gateway.js';
import { insertJob, insertRun, type Told } from '../support/job-history.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
beforeEach(async () => {
  await database.pool.query('delete from sluice.job');
});

const HOUR = 3_600_000;
const counts = (windowMs = HOUR, tenant: string | null = null) =>
  createSuccessMetricsStore(database.pool).counts(tenant, windowMs);

const aJob = (told: Told) => insertJob(database.pool, told);
const run = (end: string, ago = 60, more: Omit<Told, 'states'> = {}) => insertRun(database.pool, end, ago, more);

describe('the counts of a window', () => {
  it('are zero without any job', async () => {
    expect(await counts()).toEqual({
      jobsSucceeded: 0,
      jobsFailed: 0,
      attemptsFailed: 0,
      retriedSucceeded: 0,
      retriedFailed: 0,
      rowsCommitted: 0,
      workMs: 0,
      isBackedUp: false,
      rowsReconciled: 0,
      rowsDisagreeing: 0,
    });
  });

  it('leave out what the caller did, other windows and other tenants', async () => {
    await run('SUCCEEDED', 60, { rows: 5 });
    await run('FAILED', 60, { code: 'EXPECTATION_FAILED', failureClass: 'PIPELINE_DECISION' });
    await run('FAILED', 60, { code: 'FILE_NOT_FOUND', failureClass: 'INVALID_REQUEST' });
    await run('CANCELLED');
    await run('SUCCEEDED', 7_200, { rows: 7 });
    await run('SUCCEEDED', 60, { rows: 11, tenant: 'other' });
    expect(await counts()).toMatchObject({ jobsSucceeded: 2, jobsFailed: 1, attemptsFailed: 1, rowsCommitted: 16 });
    expect(await counts(HOUR, 'default')).toMatchObject({ jobsSucceeded: 1, rowsCommitted: 5, rowsReconciled: 5 });
    expect(await counts(24 * HOUR, 'default')).toMatchObject({ jobsSucceeded: 2, rowsCommitted: 12 });
  });

  it('count every failed attempt once, and a held job as not ended', async () => {
    const failure = { code: 'EXPECTATION_FAILED', failureClass: 'PIPELINE_DECISION' };
    await aJob({
      states: [
        ['QUEUED', 90],
        ['RUNNING', 80],
        ['RETRYING', 70],
        ['QUEUED', 60],
        ['RUNNING', 50],
        ['SUCCEEDED', 40],
      ],
      attempt: 2,
    });
    await aJob({
      states: [
        ['QUEUED', 90],
        ['RUNNING', 80],
        ['AWAITING_DECISION', 70],
      ],
      ...failure,
    });
    expect(await counts()).toMatchObject({ jobsSucceeded: 1, jobsFailed: 0, attemptsFailed: 2, retriedSucceeded: 1 });
    await aJob({
      states: [
        ['QUEUED', 90],
        ['RUNNING', 80],
        ['AWAITING_DECISION', 70],
        ['FAILED', 60],
      ],
      ...failure,
    });
    await aJob({
      states: [
        ['QUEUED', 90],
        ['RUNNING', 80],
        ['RETRYING', 70],
        ['QUEUED', 60],
        ['RUNNING', 50],
        ['DEAD', 40],
      ],
      attempt: 2,
    });
    expect(await counts()).toMatchObject({ jobsFailed: 2, attemptsFailed: 5, retriedSucceeded: 1, retriedFailed: 1 });
  });

  it('count the time with work once, and not the time in which jobs rest', async () => {
    const near = async (ms: number) => expect(Math.abs((await counts()).workMs - ms)).toBeLessThan(2_000);
    await run('SUCCEEDED', 1_000);
    await run('CANCELLED', 1_005);
    await near(25_000);
    await aJob({
      states: [
        ['QUEUED', 900],
        ['RUNNING', 890],
        ['AWAITING_DECISION', 880],
        ['QUEUED', 100],
        ['RUNNING', 90],
        ['SUCCEEDED', 80],
      ],
    });
    await near(65_000);
    await aJob({
      states: [
        ['QUEUED', 700],
        ['RUNNING', 690],
        ['AWAITING_DECISION', 600],
      ],
    });
    await near(165_000);
    await aJob({
      states: [
        ['QUEUED', 7_200],
        ['RUNNING', 7_100],
        ['SUCCEEDED', 3_570],
      ],
    });
    await near(195_000);
  });

  it('call it a backlog when a job has waited for more than a moment', async () => {
    await aJob({ states: [['QUEUED', 1]] });
    expect(await counts()).toMatchObject({ isBackedUp: false });
    await aJob({ states: [['QUEUED', 30]] });
    expect(await counts()).toMatchObject({ isBackedUp: true });
  });

  it('hold all rows of a run against it when its counters, or its parts, do not agree', async () => {
    await run('SUCCEEDED', 60, { rows: 100 });
    expect(await counts()).toMatchObject({ rowsReconciled: 100, rowsDisagreeing: 0 });
    await run('SUCCEEDED', 60, { rows: 10, missing: 1 });
    expect(await counts()).toMatchObject({ rowsReconciled: 110, rowsDisagreeing: 10 });
    await run('SUCCEEDED', 60, { rows: 20, committed: 19 });
    expect(await counts()).toMatchObject({ rowsReconciled: 130, rowsDisagreeing: 30 });
    await run('FAILED', 60, { rows: 40, committed: 0, code: 'RECONCILIATION_FAILED', failureClass: 'DATA_CORRUPTION' });
    expect(await counts()).toMatchObject({ rowsReconciled: 170, rowsDisagreeing: 70 });
  });

  it('hold as many rows of a run against it as the sample that was read back lets expect', async () => {
    await run('SUCCEEDED', 60, { rows: 1_000, rechecked: 16 });
    expect(await counts()).toMatchObject({ rowsReconciled: 1_000, rowsDisagreeing: 0 });
    await run('SUCCEEDED', 60, { rows: 500, rechecked: 30, differing: 1 });
    // One of 30: 16.7 of 500 rows, and a row that differs in part differs.
    expect(await counts()).toMatchObject({ rowsReconciled: 1_500, rowsDisagreeing: 17 });
    await run('SUCCEEDED', 60, { rows: 100, rechecked: 16, differing: 16 });
    expect(await counts()).toMatchObject({ rowsReconciled: 1_600, rowsDisagreeing: 117 });
    // Rows that ought to be read back and could not be say nothing.
    await run('SUCCEEDED', 60, { rows: 5_000, rechecked: 0 });
    await run('SUCCEEDED', 60, { rows: 0, rechecked: 0 });
    expect(await counts()).toMatchObject({ rowsReconciled: 1_600, rowsDisagreeing: 117 });
    // No row counts twice, whatever else is wrong with the run.
    await run('SUCCEEDED', 60, { rows: 10, missing: 1, rechecked: 10, differing: 10 });
    await run('SUCCEEDED', 60, { rows: 20, committed: 19, rechecked: 10, differing: 5 });
    await run('SUCCEEDED', 60, { rows: 40, committed: 39, rechecked: 0 });
    expect(await counts()).toMatchObject({ rowsReconciled: 1_630, rowsDisagreeing: 147 });
  });
});

describe('the query successMetrics', () => {
  it('answers the five figures, and refuses windows that are too short or too long', async () => {
    const gateway = await testGateway({
      successMetrics: createSuccessMetricsService(createSuccessMetricsStore(database.pool)),
    });
    for (let n = 0; n < 99; n += 1) await run('SUCCEEDED');
    await run('FAILED', 60, { code: 'INTERNAL', failureClass: 'CRITICAL_FAILURE' });
    const query = `query ($window: Duration) { successMetrics(window: $window) {
      name value unit objective { relation bound } samples breached window } }`;
    const { data } = await gateway.ask(query, { window: 'PT30M' });
    expect(data?.successMetrics).toMatchObject([
      { name: 'COMPLETION_RATE', value: 99, unit: 'PERCENT', samples: 100, breached: true, window: 'PT30M' },
      {
        name: 'THROUGHPUT',
        unit: 'RECORDS_PER_MINUTE',
        objective: { relation: 'ABOVE', bound: 10_000 },
        breached: false,
      },
      { name: 'FAILURE_RATE', value: 1, objective: { relation: 'BELOW', bound: 1 }, samples: 100, breached: true },
      { name: 'RETRY_SUCCESS', value: null, samples: 0, breached: false },
      { name: 'TRANSFORMATION_ACCURACY', value: null, samples: 0, breached: false },
    ]);
    expect((await gateway.ask('{ successMetrics { window } }')).data?.successMetrics).toMatchObject([
      { window: 'PT1H' },
      {},
      {},
      {},
      {},
    ]);
    for (const window of ['PT59S', 'P8D', 'PT0S'])
      expect((await gateway.ask(query, { window })).errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT' });
  });
});
