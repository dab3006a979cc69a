import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeadLetterService, Taken } from '../../src/jobs/dead-letters/ports.js';
import { TOKEN, testGateway } from '../support/gateway.js';
import { stubDeadLetters } from '../support/stub-dead-letters.js';
import { aJob } from '../support/stub-jobs.js';
import { runCli } from './run-cli.js';

// Every test starts processes of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const at = new Date('2026-11-23T09:30:00Z');
const error = {
  code: 'RETRIES_EXHAUSTED',
  failureClass: 'CRITICAL_FAILURE',
  message: 'Attempt 5 was the last one.',
} as const;
const job = aJob({ state: 'DEAD', error, finishedAt: at });
const taken: Taken = {
  taken: 1_200,
  refusedCount: 1,
  refused: [{ jobId: job.id, reason: 'ROWS_IN_TARGET' }],
  remaining: 3,
};

const calls: unknown[][] = [];
const names = Array.from({ length: 5 }, (_, i) => `load-${i}`);
const methods: Partial<DeadLetterService> = {
  async list(_caller, filter, page) {
    calls.push(['list', filter, page.first]);
    const node = { job, fingerprint: 'abc', redriveCount: 2 };
    return { items: [{ cursor: 'c', node }], hasNextPage: true, totalCount: 7 };
  },
  async groups(_caller, filter, first) {
    calls.push(['groups', filter, first]);
    const group = { fingerprint: 'abc', count: 1_200, firstDiedAt: at, lastDiedAt: at, names, nameCount: 5 };
    return [{ ...group, sample: job }];
  },
  async redrive(_caller, request) {
    calls.push(['redrive', request]);
    return { redrive: { ...taken, id: job.id, lastDueAt: at }, replayed: false };
  },
  async discard(_caller, choice, reason) {
    calls.push(['discard', choice, reason]);
    return { ...taken, refused: [], refusedCount: 0, remaining: 0 };
  },
};
methods.redrivesOf = async () => [{ id: job.id, number: 2, at, by: 'anna', diedAt: at, fingerprint: 'abc', error }];
methods.discardOf = async () => ({ at, by: 'ben', reason: 'of no use' });
const gateway = await testGateway({ deadLetters: stubDeadLetters(methods) });
const env = { SLUICE_URL: gateway.url, SLUICE_ADMIN_TOKEN: TOKEN };
const cli = (...args: readonly string[]) => runCli(['dead-letters', ...args], env);
beforeEach(() => {
  calls.length = 0;
});

describe('sluice dead-letters', () => {
  it('lists those that match, and groups them', async () => {
    const filters = ['--code', 'unavailable', '--class', 'critical_failure', '--died-before', '2026-11-24T00:00:00Z'];
    const [listed, grouped] = await Promise.all([cli('list', ...filters, '--first', '1'), cli('groups')]);
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(listed.out).toMatch(new RegExp(`${job.id} +orders +2026-11-23 09:30 UTC +2 +abc +Attempt 5 .*EXHAUSTED`));
    expect(listed.out).toContain('1 of 7');
    expect(grouped.out).toMatch(/abc +1,200 +2026-11-23 09:30 UTC +load-0, load-1, load-2 and 2 more +Attempt <n> was/);
    const diedBefore = new Date('2026-11-24T00:00:00Z');
    expect(calls).toHaveLength(2);
    expect(calls).toContainEqual(['list', { failureClass: 'CRITICAL_FAILURE', code: 'UNAVAILABLE', diedBefore }, 1]);
    expect(calls).toContainEqual(['groups', {}, 20]);
  });

  it('redrives by id, by filter or all, and ends with 1 when a job is left as it is', async () => {
    const byId = await cli('redrive', job.id, 'other', '--rate', '0.5', '--idempotency-key', 'k');
    expect(byId.code).toBe(1);
    expect(byId.out).toBe(
      [
        'Redriven: 1,200; the last of them has its turn at 2026-11-23 09:30 UTC.',
        'Left as they are: 1.',
        `  ${job.id}  ROWS_IN_TARGET`,
        'Still there: 3; run the command again.',
        '',
      ].join('\n'),
    );
    const all = await cli('redrive', '--all', '--json');
    expect(JSON.parse(all.out)).toMatchObject({ type: 'redrive', redrive: { taken: 1_200, refusedCount: 1 } });
    expect(calls).toEqual([
      ['redrive', { jobIds: [job.id, 'other'], ratePerSecond: 0.5, idempotencyKey: 'k' }],
      ['redrive', { all: true }],
    ]);
  });

  it('takes nothing when it is not said what, or said twice, or not why', async () => {
    const runs = [['redrive'], ['redrive', 'x', '--name', 'a'], ['discard', 'x']];
    for (const run of await Promise.all(runs.map((args) => cli(...args))))
      expect(run).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/\w/) });
    expect(calls).toEqual([]);
  });

  it('discards with a reason', async () => {
    const run = await cli('discard', '--name', 'orders', '--reason', 'mended by hand');
    expect(run).toMatchObject({ code: 0, out: 'Discarded: 1,200.\n', err: '' });
    expect(calls).toEqual([['discard', { filter: { name: 'orders' } }, 'mended by hand']]);
  });

  it('is told by `sluice jobs show`', async () => {
    const { out } = await runCli(['jobs', 'show', job.id], env);
    expect(out).toContain('  redriven  2 times, last by anna, 2026-11-23 09:30 UTC, after RETRIES_EXHAUSTED\n');
    expect(out).toContain('  discarded by ben, 2026-11-23 09:30 UTC: of no use\n');
  });

  it('tells a word that the gateway does not know', async () => {
    const run = await cli('list', '--code', 'NO_SUCH');
    expect(run).toMatchObject({ code: 1, err: expect.stringContaining('BAD_USER_INPUT') });
  });
});
