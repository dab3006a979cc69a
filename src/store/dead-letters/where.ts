import type { DeadLetterFilter } from '../../jobs/dead-letters/ports.js';

export interface Where {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** A retry that was given up keeps the code that came back every time beside its own. */
const CODES = `(job.error ->> 'code', job.error -> 'details' ->> 'lastCode')`;

/** The dead letters of a tenant that match, as a condition on `job`; the state stands there as the indexes have it. */
export function whereOf(tenant: string, filter: DeadLetterFilter): Where {
  const values: unknown[] = [tenant];
  const conditions = ['job.tenant = $1', `job.state = 'DEAD'`];
  const add = (condition: (parameter: string) => string, value: unknown) => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  if (filter.failureClass !== undefined) add((p) => `job.error ->> 'failureClass' = ${p}`, filter.failureClass);
  if (filter.code !== undefined) add((p) => `${p} in ${CODES}`, filter.code);
  if (filter.name !== undefined) add((p) => `job.name = ${p}`, filter.name);
  if (filter.owner !== undefined) add((p) => `job.owner = ${p}`, filter.owner);
  if (filter.fingerprint !== undefined) add((p) => `job.fingerprint = ${p}`, filter.fingerprint);
  if (filter.diedAfter) add((p) => `job.finished_at > ${p}`, filter.diedAfter);
  if (filter.diedBefore) add((p) => `job.finished_at < ${p}`, filter.diedBefore);
  return { sql: conditions.join(' and '), values };
}
