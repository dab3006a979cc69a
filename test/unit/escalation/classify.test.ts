import { describe, expect, it } from 'vitest';
import { CLASS_RULES, type Classifiable, classify } from '../../../escalation/classify.js';
import { NO_SETTINGS } from '../../../escalation/job-settings.js';
import { ERROR_CODES, type ErrorCode } from '../../../src/core/errors.js';
import { FAILURE_CLASSES } from '../../../src/core/failure-class.js';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

const failed = (code: ErrorCode, details: Classifiable['details'] = {}): Classifiable => ({
  source: 'JOB',
  code,
  failureClass: ERROR_CODES[code].failureClass,
  details,
  settings: NO_SETTINGS,
});

describe('classifying', () => {
  it.each(CODES)('gives %s a class and names the rule', (code) => {
    const { failureClass, rule, confidence } = classify(failed(code));
    expect(FAILURE_CLASSES).toContain(failureClass);
    expect(rule).toMatch(/^[a-z-]+$/);
    expect(confidence).toBeGreaterThan(0);
    expect(confidence).toBeLessThanOrEqual(1);
  });

  it('has a name of its own for each rule', () => {
    const names = CLASS_RULES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain('code-table');
  });

  it.each([
    [failed('RECONCILIATION_FAILED'), 'DATA_CORRUPTION', 'reconciliation-broken'],
    [failed('SOURCE_CHANGED'), 'DATA_CORRUPTION', 'source-changed'],
    [
      failed('CONSTRAINT_VIOLATION', { sqlState: '23505', stage: 'FINISHING' }),
      'DATA_CORRUPTION',
      'duplicate-key-after-load',
    ],
    [
      failed('CONSTRAINT_VIOLATION', { sqlState: '23505', stage: 'LOADING' }),
      'PIPELINE_DECISION',
      'constraint-refused',
    ],
    [failed('ERROR_BUDGET_EXCEEDED'), 'PIPELINE_DECISION', 'error-budget-broken'],
    [failed('EXPECTATION_FAILED'), 'PIPELINE_DECISION', 'expectation-failed'],
    [failed('TARGET_INCOMPATIBLE'), 'PIPELINE_DECISION', 'target-drifted'],
    [failed('TARGET_NOT_FOUND'), 'PIPELINE_DECISION', 'target-lost'],
    [failed('OBJECTIVE_MISSED'), 'QUEUE_PERFORMANCE', 'objective-missed'],
    [failed('DEAD_LETTERS_SPIKE'), 'CRITICAL_FAILURE', 'dead-letters-spike'],
    [failed('UNAVAILABLE', { origin: 'hook' }), 'WORKFLOW_INTEGRATION', 'handover-failed'],
    [
      failed('RETRIES_EXHAUSTED', { lastCode: 'UNAVAILABLE', sqlState: '55P03' }),
      'WORKFLOW_INTEGRATION',
      'target-stays-locked',
    ],
    [
      failed('RETRIES_EXHAUSTED', { lastCode: 'UNAVAILABLE', sqlState: '40P01' }),
      'WORKFLOW_INTEGRATION',
      'deadlocks-every-time',
    ],
    [
      failed('RETRIES_EXHAUSTED', { lastCode: 'UNAVAILABLE', sqlState: '08006' }),
      'CRITICAL_FAILURE',
      'infrastructure-down',
    ],
    [failed('RETRIES_EXHAUSTED', { lastCode: 'DISK_FULL' }), 'CRITICAL_FAILURE', 'infrastructure-down'],
    [failed('RETRIES_EXHAUSTED', { lastCode: 'CHUNK_TIMEOUT' }), 'WORKFLOW_INTEGRATION', 'loads-hang-every-time'],
    [failed('RETRIES_EXHAUSTED', { lastCode: 'LEASE_LOST' }), 'CRITICAL_FAILURE', 'workers-keep-dying'],
    [failed('RETRIES_EXHAUSTED'), 'CRITICAL_FAILURE', 'retries-exhausted'],
    [failed('INTERNAL'), 'CRITICAL_FAILURE', 'unexpected'],
    [failed('UNKNOWN_COLUMN'), 'INVALID_REQUEST', 'code-table'],
    [failed('UNAVAILABLE'), 'TRANSIENT', 'code-table'],
  ] as const)('%j is %s by %s', (report, failureClass, rule) => {
    expect(classify(report)).toMatchObject({ failureClass, rule });
  });

  it('is less sure where only the code speaks, and least where the error says otherwise', () => {
    const known = classify(failed('RECONCILIATION_FAILED')).confidence;
    const byCode = classify(failed('UNAVAILABLE')).confidence;
    const otherwise = classify({ ...failed('UNAVAILABLE'), failureClass: 'PIPELINE_DECISION' });
    expect(otherwise.failureClass).toBe('PIPELINE_DECISION');
    expect(known).toBeGreaterThan(byCode);
    expect(byCode).toBeGreaterThan(otherwise.confidence);
  });

  it('believes a person who names the class', () => {
    const report: Classifiable = { ...failed('REPORTED'), source: 'PERSON', failureClass: 'DATA_CORRUPTION' };
    expect(classify(report)).toEqual({ failureClass: 'DATA_CORRUPTION', rule: 'opened-by-hand', confidence: 1 });
  });

  it.each(CODES)('lets a job say itself what %s is, before every rule', (code) => {
    const settings = { ...NO_SETTINGS, classes: [{ code, failureClass: 'DATA_CORRUPTION' as const }] };
    const details = { sqlState: '23505', stage: 'FINISHING', origin: 'hook' };
    const own = classify({ ...failed(code, details), settings });
    expect(own).toEqual({ failureClass: 'DATA_CORRUPTION', rule: 'pipeline-override', confidence: 1 });
  });

  it('keeps to the rules for the codes that the job says nothing of', () => {
    const classes = [{ code: 'EXPECTATION_FAILED', failureClass: 'DATA_CORRUPTION' }] as const;
    const settings = { ...NO_SETTINGS, classes };
    expect(classify({ ...failed('TARGET_INCOMPATIBLE'), settings }).rule).toBe('target-drifted');
  });
});
