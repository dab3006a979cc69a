import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/core/errors.js';
import { FAILURE_CLASSES } from '../../../src/core/failure-class.js';
import { endOf } from '../../../src/jobs/end-attempt.js';
import { failureOf, jobErrorOf } from '../../../src/jobs/failure.js';
import { NO_ROWS } from '../../../src/jobs/job.js';
import type { Attempt } from '../../../src/jobs/stores.js';

const driverError = (code: string, facts: object = {}) =>
  Object.assign(new Error('the server says so'), { code, ...facts });

const anAttempt = (attempt: number, maxAttempts: number, spec: object = {}): Attempt => ({
  token: '00000000-0000-7000-8000-000000000000',
  prepared: null,
  timeLeftMs: null,
  job: {
    id: '00000000-0000-7000-8000-000000000001',
    tenant: 'default',
    kind: 'ETL',
    name: 'a',
    owner: 'layer-12',
    state: 'RUNNING',
    stage: 'LOADING',
    spec,
    idempotencyKey: null,
    priority: 0,
    attempt,
    maxAttempts,
    error: null,
    lastSeq: 1,
    createdAt: new Date(0),
    startedAt: null,
    finishedAt: null,
    dueAt: null,
    cancelRequested: false,
    replayOf: null,
    progress: {
      ...NO_ROWS,
      totalRows: null,
      chunksDone: 0,
      chunksTotal: null,
      rowsPerSecond: null,
      etaSeconds: null,
      stageProgress: null,
    },
  },
});

const SILENT = { options: { onFailure: 'FAIL' } };

describe('a driver error', () => {
  it.each([
    '08006',
    '08003',
    '40001',
    '40P01',
    '53300',
    '57P01',
    '57014',
    '55P03',
    'ECONNRESET',
    'ECONNREFUSED',
    'EPIPE',
  ])('%s passes by itself', (code) => expect(failureOf(driverError(code)).failureClass).toBe('TRANSIENT'));

  it.each(['ENOSPC', 'EDQUOT', '53100'])('%s is a full disk, and says what to do', (code) => {
    expect(failureOf(driverError(code))).toMatchObject({
      code: 'DISK_FULL',
      failureClass: 'TRANSIENT',
      message: expect.stringMatching(/free space/),
    });
  });

  it.each([
    ['23505', 'CONSTRAINT_VIOLATION'],
    ['23502', 'CONSTRAINT_VIOLATION'],
    ['22003', 'TARGET_INCOMPATIBLE'],
    ['42501', 'TARGET_NOT_ALLOWED'],
    ['42P01', 'TARGET_NOT_FOUND'],
    ['42703', 'TARGET_INCOMPATIBLE'],
    ['ENOMEM', 'RESOURCE_EXHAUSTED'],
    ['XX000', 'INTERNAL'],
    ['', 'INTERNAL'],
  ])('%s is %s and is not tried again', (code, expected) => {
    const failure = failureOf(driverError(code));
    expect(failure.code).toBe(expected);
    const asks = failure.failureClass !== 'INVALID_REQUEST';
    expect(endOf(anAttempt(1, 5), failure, () => 0.5).transition).toBe(asks ? 'HOLD' : 'FAIL');
    expect(endOf(anAttempt(1, 5, SILENT), failure, () => 0.5).transition).toBe('FAIL');
  });

  it('is a lost connection when pg says so without a code', () => {
    expect(failureOf(new Error('Connection terminated unexpectedly')).failureClass).toBe('TRANSIENT');
    expect(failureOf(new Error('timeout exceeded when trying to connect')).failureClass).toBe('TRANSIENT');
  });

  it('brings the facts of the server, cut short, and nothing else', () => {
    const failure = failureOf(
      driverError('23505', { constraint: 'k', detail: 'x'.repeat(9_000), client: { password: 'p' } }),
    );
    expect(jobErrorOf(failure).details).toEqual({ sqlState: '23505', constraint: 'k', detail: 'x'.repeat(500) });
  });

  it('does not tell a caller what nobody foresaw', () => {
    expect(jobErrorOf(failureOf(new TypeError('secret'))).message).not.toContain('secret');
    expect(failureOf('a string').code).toBe('INTERNAL');
  });
});

describe('what a failure leads to', () => {
  const transient = new SluiceError('UNAVAILABLE', 'away');

  it('waits longer after every attempt, spread over the whole wait', () => {
    const waits = [1, 2, 3, 10].map((attempt) => endOf(anAttempt(attempt, 99), transient, () => 1).dueInMs);
    expect(waits).toEqual([1_000, 2_000, 4_000, 60_000]);
    expect(endOf(anAttempt(3, 99), transient, () => 0).dueInMs).toBe(0);
  });

  it('gives up after the last attempt, and says what kept failing', () => {
    const error = { code: 'RETRIES_EXHAUSTED', details: { lastCode: 'UNAVAILABLE' } };
    expect(endOf(anAttempt(5, 5), transient, () => 0.5)).toMatchObject({ transition: 'HOLD', error });
    expect(endOf(anAttempt(5, 5, SILENT), transient, () => 0.5)).toMatchObject({ transition: 'DIE', error });
  });

  it('asks about what is decided, and not about what its caller can mend', () => {
    const ends = FAILURE_CLASSES.map((failureClass) => {
      const error = new SluiceError('INTERNAL', 'x', { failureClass });
      return [failureClass, endOf(anAttempt(1, 5), error, () => 0).transition];
    });
    expect(Object.fromEntries(ends)).toEqual({
      TRANSIENT: 'RETRY',
      INVALID_REQUEST: 'FAIL',
      PIPELINE_DECISION: 'HOLD',
      QUEUE_PERFORMANCE: 'HOLD',
      WORKFLOW_INTEGRATION: 'HOLD',
      CRITICAL_FAILURE: 'HOLD',
      DATA_CORRUPTION: 'HOLD',
    });
  });
});
