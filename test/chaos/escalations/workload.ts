import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../../src/core/errors.js';
import { storeReport } from '../../support/failure-report.js';
import { chosen, seededFor } from '../../support/seeded.js';
import { createFailingJobs } from './failing-jobs.js';
import type { EscalationProcess } from './open-process.js';

export const TENANTS = ['default', 'north'] as const;

export interface Workload {
  /** What went wrong on this side: nothing should. */
  readonly failures: readonly string[];
  /** Nothing fails any more; resolves when what is in hand is done. */
  stop(): Promise<void>;
}

const LOOK_MS = 100;
const MOST_AT_ONCE = 10;

/**
 * Jobs that fail and monitors that are out of their bounds, so that about `open` escalations move at any time; plays the
 * workers too, for whom a job that a verdict lets go fails again or ends.
 */
export function startWorkload(parts: EscalationProcess, seed: number, open: number): Workload {
  const { stores, wake, escalations, chart } = parts;
  const { pool } = stores;
  const service = escalations.service();
  const jobs = createFailingJobs(parts, seed);
  const layers = chart.agents.filter(({ kind }) => kind === 'layer').map(({ id }) => id);
  const later = new Set<Promise<void>>();
  const failures: string[] = [];
  let isStopped = false;
  let next = 0;

  /** A caller is told, because something else was faster; anything else is a fault. */
  function note(error: unknown): void {
    if (error instanceof SluiceError && (error.isUserError || error.code === 'UNAVAILABLE')) return;
    failures.push(String(error));
  }

  async function report(tenant: string, pipeline: string, owner: string, kind: 'FAILED' | 'RECOVERED'): Promise<void> {
    const monitor = { source: 'MONITOR', code: 'OBJECTIVE_MISSED', failureClass: 'QUEUE_PERFORMANCE' } as const;
    await storeReport(pool, { ...monitor, tenant, kind, pipeline, target: null, owner });
    await wake.tell('REPORT', tenant);
  }

  function soon(random: () => number, run: () => Promise<unknown>): void {
    const done = sleep(300 + random() * 2_500)
      .then(() => (isStopped ? undefined : run()))
      .catch(note)
      .then(() => void later.delete(done));
    later.add(done);
  }

  async function openOne(): Promise<void> {
    next += 1;
    const pipeline = `chaos-${next}`;
    const random = seededFor(seed, pipeline);
    const tenant = chosen(TENANTS, random);
    const owner = chosen(layers, random);
    const how = random();
    if (how < 0.2) {
      await report(tenant, pipeline, owner, 'FAILED');
      if (random() < 0.4) soon(random, () => report(tenant, pipeline, owner, 'RECOVERED'));
      return;
    }
    if (how < 0.25) {
      const input = { failureClass: 'CRITICAL_FAILURE', pipeline, target: null, owner, jobId: null } as const;
      await service.open({ tenant, agent: owner }, { ...input, message: 'Something smells.' });
      return;
    }
    const jobId = await jobs.hold(tenant, pipeline, owner, random);
    // The same failure once more, of another job; and one that is cancelled while somebody is asked about it.
    if (random() < 0.25) soon(random, () => jobs.hold(tenant, pipeline, owner, random));
    if (random() < 0.15) soon(random, () => stores.jobs.requestCancel(tenant, jobId));
  }

  async function moving(): Promise<number> {
    const { rows } = await pool.query<{ count: number }>(
      `select (select count(*) from sluice.escalation where due_at is not null and status <> 'RESOLVED')::int
         + (select count(*) from sluice.failure_report where not done)::int as count`,
    );
    return rows[0]?.count ?? 0;
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      const missing = Math.min(MOST_AT_ONCE, open - (await moving()));
      await Promise.all(Array.from({ length: Math.max(0, missing) }, () => openOne().catch(note)));
      await jobs.workOff().catch(note);
      await sleep(LOOK_MS);
    }
  }

  const running = run().catch(note);
  return {
    failures,
    async stop() {
      isStopped = true;
      await running;
      await Promise.all(later);
    },
  };
}
