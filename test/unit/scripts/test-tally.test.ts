import { expect, test } from 'vitest';
import { readTally } from '../../../scripts/test-tally.mjs';

interface Counts {
  passed?: number;
  failed?: number;
  skipped?: number;
  brokenFiles?: number;
}

function aReport({ passed = 0, failed = 0, skipped = 0, brokenFiles = 0 }: Counts): string {
  const broken = { name: 'broken.test.ts', status: 'failed', assertionResults: [] };
  return JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
    numTodoTests: 0,
    testResults: Array.from({ length: brokenFiles }, () => broken),
  });
}

const ALL = { exitCode: 0, filtered: false };

test('passed and failed tests are counted', () => {
  expect(readTally(aReport({ passed: 3 }), ALL)).toEqual({ passed: 3, failed: 0, remarks: [] });
  expect(readTally(aReport({ passed: 3, failed: 2 }), { ...ALL, exitCode: 1 })).toMatchObject({ passed: 3, failed: 2 });
});

test('a file that could not be loaded is a failure', () => {
  const tally = readTally(aReport({ passed: 3, brokenFiles: 1 }), { ...ALL, exitCode: 1 });
  expect(tally).toEqual({ passed: 3, failed: 1, remarks: ['Failed outside of its tests: broken.test.ts'] });
});

test('a skipped test is a failure, unless only a part was asked for', () => {
  expect(readTally(aReport({ passed: 3, skipped: 2 }), ALL).failed).toBe(2);
  expect(readTally(aReport({ passed: 3, skipped: 2 }), { ...ALL, filtered: true }).failed).toBe(0);
});

test('a run that fails for another reason, that tests nothing or that leaves no report is a failure', () => {
  expect(readTally(aReport({ passed: 3 }), { ...ALL, exitCode: 1 }).failed).toBe(1);
  expect(readTally(aReport({}), ALL).failed).toBe(1);
  expect(readTally(undefined, ALL).failed).toBe(1);
});
