import { type ErrorCode, SluiceError } from '../../../src/core/errors.js';
import { newId } from '../../../src/core/ids.js';
import { parsePipeline } from '../../../src/engine/parse-pipeline.js';
import { jobErrorOf } from '../../../src/jobs/failure.js';
import { specHashOf } from '../../../src/jobs/parse-launch.js';
import type { Attempt } from '../../../src/jobs/stores.js';
import { chosen, seededFor } from '../../support/seeded.js';
import type { EscalationProcess } from './open-process.js';

/** What jobs fail with: one of each class that somebody is asked about. */
const FAILURES: readonly (readonly [code: ErrorCode, details: object])[] = [
  ['EXPECTATION_FAILED', {}],
  ['ERROR_BUDGET_EXCEEDED', {}],
  ['UNAVAILABLE', { origin: 'hook' }],
  ['RETRIES_EXHAUSTED', {}],
  ['RECONCILIATION_FAILED', {}],
];
const MOST_AT_ONCE = 10;
const FAILS_AGAIN = 0.3;

/** Jobs and the workers that fail at them, over the real stores. */
export function createFailingJobs({ stores, escalations }: EscalationProcess, seed: number) {
  const claim = (jobId: string): Promise<Attempt | null> =>
    stores.attempts.claim(jobId, newId(), 'chaos worker', 60_000);

  async function fail(attempt: Attempt, random: () => number): Promise<void> {
    const [code, details] = chosen(FAILURES, random);
    const error = jobErrorOf(new SluiceError(code, 'It cannot go on.', { details: { ...details } }));
    await stores.attempts.end(attempt, { transition: 'HOLD', message: error.message, error });
    await escalations.onHeld(attempt.job.tenant);
  }

  return {
    /** Launches a job, which fails and waits for a decision. @returns its id */
    async hold(tenant: string, name: string, owner: string, random: () => number): Promise<string> {
      const { json: spec } = parsePipeline({
        source: { records: { rows: [{ id: 1 }] } },
        sink: { postgres: { table: name.replaceAll('-', '_'), mode: 'APPEND', createTable: true } },
      });
      const id = newId();
      const rest = { idempotencyKey: null, priority: 0, maxAttempts: 3, timeoutMs: null };
      await stores.jobs.insert({ id, tenant, kind: 'ETL', name, owner, spec, specHash: specHashOf(spec), ...rest });
      const attempt = await claim(id);
      if (attempt) await fail(attempt, random);
      return id;
    },

    /** Jobs that a verdict has let go fail again or end. */
    async workOff(): Promise<void> {
      const { rows } = await stores.pool.query<{ id: string; name: string; events: number }>(
        `select id, name, last_seq::int as events from sluice.job where state = 'QUEUED' and held
         order by updated_at limit $1`,
        [MOST_AT_ONCE],
      );
      for (const { id, name, events } of rows) {
        const random = seededFor(seed, `${name} ${events}`);
        const attempt = await claim(id);
        if (attempt && random() < FAILS_AGAIN) await fail(attempt, random);
        else if (attempt) await stores.attempts.end(attempt, { transition: 'FAIL', message: 'It ends.' });
      }
    },
  };
}
