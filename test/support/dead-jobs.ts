import { newId } from '../../src/core/ids.js';
import { fingerprintByStage } from '../../src/jobs/dead-letters/fingerprint.js';
import type { JobError } from '../../src/jobs/job.js';
import type { NewJob } from '../../src/jobs/stores.js';
import type { Pool } from '../../src/store/pool.js';
import type { Runtime } from './runtime.js';

export const EXHAUSTED: JobError = {
  code: 'RETRIES_EXHAUSTED',
  failureClass: 'CRITICAL_FAILURE',
  message: 'Attempt 3 was the last one: the server 10.0.0.7 does not answer.',
  details: { lastCode: 'UNAVAILABLE' },
};

/** A job whose only attempt failed for good, as a worker ends it. @returns its id */
export async function aDeadJob(
  { stores }: Runtime,
  { error = EXHAUSTED, ...changes }: Partial<NewJob> & { readonly error?: JobError } = {},
): Promise<string> {
  const { job } = await stores.jobs.insert({
    id: newId(),
    tenant: 'default',
    kind: 'ETL',
    name: 'orders',
    owner: 'layer-12',
    spec: { sink: { postgres: { connection: 'default', schema: 'public', table: 'target' } } },
    specHash: 'x',
    idempotencyKey: null,
    priority: 0,
    maxAttempts: 1,
    timeoutMs: null,
    ...changes,
  });
  const attempt = await stores.attempts.claim(job.id, newId(), 'worker', 60_000);
  if (attempt === null) throw new Error('nothing keeps the job from being claimed');
  await stores.attempts.end(attempt, { transition: 'DIE', message: error.message, error });
  return job.id;
}

/** So many dead jobs by one statement, which died one second after the other, the first of them `ago` seconds ago. */
export async function manyDeadJobs(pool: Pool, count: number, tenant = 'default', ago = count): Promise<void> {
  await pool.query(
    `insert into sluice.job (id, tenant, kind, name, owner, state, spec, spec_hash, last_seq, error, fingerprint, finished_at)
     select gen_random_uuid(), $2, 'ETL', 'job-' || n, 'layer-12', 'DEAD', '{"sink":{}}', 'x', 1, $3, $4,
       statement_timestamp() - ($5 - n) * interval '1 s'
     from generate_series(1, $1) as n`,
    [count, tenant, JSON.stringify(EXHAUSTED), fingerprintByStage(EXHAUSTED).PLANNING, ago],
  );
}
