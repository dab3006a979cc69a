import { describe, expect, it } from 'vitest';
import { jobSummary } from '../../../src/cli/job-summary.js';
import { aProgress, aReport } from './job-events.js';

describe('the summary of a job', () => {
  it('counts rows and says how long and how fast', () => {
    expect(jobSummary(aReport())).toEqual([
      'Job orders (0192aaaa-0000-7000-8000-000000000001) succeeded in 2.0 s.',
      '  read 12, loaded 10, quarantined 2 (6 rows/s end to end)',
    ]);
  });

  it('shows the expectations as a table', () => {
    const expectations = [
      {
        ordinal: 0,
        kind: 'range',
        description: 'quantity between 1 and 100',
        severity: 'QUARANTINE',
        evaluated: 3_000_000,
        failed: 12,
        percent: 0.0004,
        status: 'QUARANTINED',
      },
    ];
    const lines = jobSummary(aReport({ expectations })).slice(3);
    expect(lines).toEqual([
      'expectation                 severity    evaluated  failed      %  status',
      '--------------------------  ----------  ---------  ------  -----  -----------',
      'quantity between 1 and 100  QUARANTINE  3,000,000      12  <0.01  QUARANTINED',
    ]);
  });

  it('shows quarantined rows with their reasons, safe for the terminal', () => {
    const node = {
      rowNumber: 6,
      file: 'file:orders.csv',
      reasons: [{ column: 'quantity', code: 'cast', message: '"two" is no INTEGER.' }],
      raw: '{"note":"\u001b[31mred"}',
    };
    const lines = jobSummary(aReport({ quarantine: { totalCount: 2, edges: [{ node }] } })).slice(3);
    expect(lines).toEqual([
      'Quarantined rows (1 of 2):',
      '  row 6 of file:orders.csv',
      '    - quantity: "two" is no INTEGER. (cast)',
      '    {"note":"\\u001b[31mred"}',
    ]);
  });

  it('tells of the attempts when there were several', () => {
    const attempt = { number: 1, worker: 'host:1', startedAt: '2026-11-23T10:00:00.100Z' };
    const error = { code: 'UNAVAILABLE', message: 'The connection was lost.' };
    const attempts = [
      { ...attempt, duration: 'PT1.2S', outcome: 'FAILED', error },
      { ...attempt, number: 2, duration: null, outcome: null, error: null },
    ];
    expect(jobSummary(aReport({ attempts })).slice(3)).toEqual([
      'attempt  outcome  started                took  worker  error',
      '-------  -------  --------------------  -----  ------  --------------------------------------',
      '      1  FAILED   2026-11-23 10:00 UTC  1.2 s  host:1  The connection was lost. (UNAVAILABLE)',
      '      2  RUNNING  2026-11-23 10:00 UTC         host:1',
    ]);
    expect(jobSummary(aReport({ attempts: attempts.slice(0, 1) }))).toHaveLength(2);
  });

  it('says why a job failed, where in its spec, and shows the first offending rows', () => {
    const error = {
      code: 'ERROR_BUDGET_EXCEEDED',
      failureClass: 'PIPELINE_DECISION',
      message: '3 of 12 rows are bad.',
      path: ['options', 'errorBudget'],
      details: { samples: [{ rowNumber: 4 }] },
    };
    const report = aReport({ state: 'FAILED', error, progress: aProgress({ rowsRead: 12 }) });
    expect(jobSummary(report)).toEqual([
      'Job orders (0192aaaa-0000-7000-8000-000000000001) failed in 2.0 s.',
      '  read 12, loaded 0 (6 rows/s end to end)',
      'options.errorBudget: 3 of 12 rows are bad. (ERROR_BUDGET_EXCEEDED) [PIPELINE_DECISION]',
      '    {"rowNumber":4}',
    ]);
  });
});
