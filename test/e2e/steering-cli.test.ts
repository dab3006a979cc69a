import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import type { JobService } from '../../src/jobs/job-service.js';
import { TOKEN, testGateway } from '../support/gateway.js';
import { aJob, stubJobs } from '../support/stub-jobs.js';
import { someQueueStats, stubQueues, stubSteering } from '../support/stub-steering.js';
import { runCli } from './run-cli.js';

// Every test starts processes of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const calls: unknown[][] = [];
/** The same, writing down every call but for the caller. */
const written = <T extends object>(methods: T): T =>
  new Proxy(methods, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: readonly unknown[]) => {
        calls.push([name, ...args.slice(1)]);
        return Reflect.apply(method, undefined, args);
      };
    },
  });

let jobs: Partial<JobService> = {};
const DEAD = '0192f0a0-0000-7000-8000-0000000000de';
const at = new Date('2026-11-23T09:30:00Z');
const gateway = await testGateway({
  jobs: new Proxy(stubJobs(), { get: (target, name: keyof JobService) => jobs[name] ?? target[name] }),
  steering: written(
    stubSteering({
      pause: async (_caller, id) => aJob({ id, state: 'RUNNING' }),
      cancel: async (_caller, id, rollback) => {
        if (rollback && id === DEAD) return aJob({ id, state: 'DEAD', cancelRequested: true });
        if (rollback) throw new SluiceError('ROLLBACK_NOT_POSSIBLE', 'Its rows would stay.', { path: ['rollback'] });
        return aJob({ id, state: 'CANCELLED' });
      },
    }),
  ),
  queues: written(
    stubQueues({
      stats: async () =>
        someQueueStats({
          counts: { ...someQueueStats().counts, QUEUED: 1_200, DEAD: 2, FAILED: 3 },
          oldestQueuedAt: at,
          workers: [{ id: 'host:1', slots: 4, busy: 3, seenAt: at }],
        }),
    }),
  ),
});
const env = { SLUICE_URL: gateway.url, SLUICE_ADMIN_TOKEN: TOKEN };
const cli = (...args: readonly string[]) => runCli(args, env);
const ID = aJob().id;

beforeEach(() => {
  jobs = {};
  calls.length = 0;
});

describe('sluice jobs', () => {
  it('lists those that match as a table', async () => {
    const filters: unknown[] = [];
    jobs = {
      list: async (_caller, filter) => {
        filters.push(filter);
        return { items: [{ cursor: 'c', node: aJob({ state: 'DEAD' }) }], hasNextPage: true, totalCount: 7 };
      },
    };
    const run = await cli('jobs', 'list', '--state', 'DEAD', 'FAILED', '--search', 'ord', '--first', '1');
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out).toMatch(new RegExp(`${ID} +orders +dead +0 +0 +2026-11-23 09:30 UTC`));
    expect(run.out).toContain('1 of 7');
    expect(filters).toEqual([{ states: ['DEAD', 'FAILED'], search: 'ord' }]);
  });

  it('shows one with its attempts, to people and to machines', async () => {
    const attempt = { seq: 2, number: 1, worker: 'host:1', startedAt: at, endedAt: at, durationMs: 1_500 } as const;
    const error = { code: 'POISON', message: 'It took its workers down.' } as const;
    jobs = { attempts: async () => [{ ...attempt, outcome: 'LEASE_LOST', error }] };
    const [shown, json] = [await cli('jobs', 'show', ID), await cli('jobs', 'show', ID, '--json')];
    expect(shown.out).toMatch(/1 +LEASE_LOST +2026-11-23 09:30 UTC +1\.5 s +host:1 +It took .* \(POISON\)/);
    expect(shown.out).toMatch(/attempt +0 of 5/);
    expect(JSON.parse(json.out)).toMatchObject({
      type: 'job',
      job: { id: ID, attempts: [{ outcome: 'LEASE_LOST', duration: 'PT1.5S' }] },
    });
    jobs = { get: async () => null };
    const missing = await cli('jobs', 'show', ID);
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('JOB_NOT_FOUND') });
  });

  it('cancels, pauses, resumes and retries', async () => {
    const [cancelled, paused] = [await cli('jobs', 'cancel', ID), await cli('jobs', 'pause', ID)];
    expect(cancelled).toMatchObject({ code: 0, out: `Job orders (${ID}) is cancelled.\n` });
    expect(paused.out).toBe(`Job orders (${ID}) is running. Its worker was told to stop.\n`);
    expect((await cli('jobs', 'resume', ID)).out).toBe(`Job orders (${ID}) is queued.\n`);
    expect(JSON.parse((await cli('jobs', 'retry', ID, '--json')).out)).toMatchObject({ type: 'job', job: { id: ID } });
    expect(calls).toEqual([
      ['cancel', ID, false],
      ['pause', ID],
      ['resume', ID],
      ['retry', ID],
    ]);
  });

  it('ends with 1 and a sentence when it cannot be done', async () => {
    const run = await cli('jobs', 'cancel', ID, '--rollback');
    expect(run).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Its rows would stay.') });
    const removing = await cli('jobs', 'cancel', DEAD, '--rollback');
    expect(removing.out).toContain('is dead. It is cancelled once its rows are removed.');
  });
});

describe('sluice queue', () => {
  it('shows how it stands', async () => {
    const { out } = await cli('queue', 'show');
    expect(out).toContain('The queue runs.');
    expect(out).toContain('queued 1,200, running 0, retrying 0, paused 0, awaiting decision 0, dead 2');
    expect(out).toContain('ended within the last hour: succeeded 0, failed 3, cancelled 0');
    expect(out).toContain('the oldest waits since 2026-11-23 09:30 UTC');
    expect(out).toContain('workers are 75.00 % busy (BUSY)');
    expect(out).toMatch(/host:1 +4 +3 /);
  });

  it('is paused with a reason, and resumed', async () => {
    const paused = await cli('queue', 'pause', '--reason', 'the warehouse moves');
    expect(paused.out).toMatch(/^The queue is paused since 2026-11-23 09:30 UTC by \S+: the warehouse moves\n/);
    expect(await cli('queue', 'resume')).toMatchObject({ code: 0, err: '' });
    expect(calls).toEqual([
      ['pause', 'the warehouse moves'],
      ['resume', null],
    ]);
  });
});
