import type { JobKind, Place } from './job-kinds.js';

/** What a job leaves behind, from which a run with faults must not differ. */
export interface Outcome {
  readonly target: string | null;
  /** sha256 over its bad rows, with their reasons. */
  readonly quarantine: string | null;
  readonly counters: string;
}

export interface Findings {
  /** Jobs that did not come to their end, or not to a good one. */
  readonly lost: string[];
  /** Targets and quarantines that are not those of a run without faults. */
  readonly differing: string[];
  readonly unbalanced: string[];
  /** Keys that started more than one job, and launches whose answer was of another. */
  readonly launches: string[];
  /** Gaps in the events of a job. */
  readonly events: string[];
  /** Processes that ended although nobody killed them. */
  readonly crashes: string[];
}

export const noFindings = (): Findings => ({
  lost: [],
  differing: [],
  unbalanced: [],
  launches: [],
  events: [],
  crashes: [],
});

export const findingLines = (findings: Findings): string[] =>
  Object.entries(findings).flatMap(([name, cases]: [string, string[]]) => cases.map((each) => `${name}: ${each}`));

/** Reads what is left of a job that has succeeded. */
export async function readOutcome(place: Place, kind: JobKind, target: string, jobId: string): Promise<Outcome> {
  const { rows } = await place.pool.query<{ quarantine: string | null; counters: string }>(
    `select concat_ws(' ', rows_read, rows_loaded, rows_filtered, rows_deduplicated, rows_quarantined, rows_reshaped,
         total_rows, chunks_done, chunks_total) as counters,
       (select encode(sha256(convert_to(string_agg(bad.line, E'\\n' order by bad.line), 'UTF8')), 'hex')
         from (select concat_ws(' ', row_number, file, reasons, raw) as line from sluice.quarantine
           where job_id = job.id) as bad) as quarantine
     from sluice.job as job where id = $1`,
    [jobId],
  );
  const { quarantine = null, counters = '' } = rows[0] ?? {};
  return { target: await kind.digest(place, target), quarantine, counters };
}

/** Holds what is left against a run without faults. */
export async function judgeJob(
  place: Place,
  { kind, target, jobId }: { readonly kind: JobKind; readonly target: string; readonly jobId: string },
  expected: Outcome,
  findings: Findings,
): Promise<void> {
  const name = `${kind.name} ${target} ${jobId}`;
  const outcome = await readOutcome(place, kind, target, jobId);
  if (outcome.target !== expected.target) findings.differing.push(`${name}: another target`);
  if (outcome.quarantine !== expected.quarantine) findings.differing.push(`${name}: other bad rows`);
  if (outcome.counters !== expected.counters) {
    findings.unbalanced.push(`${name}: ${outcome.counters} instead of ${expected.counters}`);
  }
  const { rows } = await place.pool.query<{ ids: string[]; events: bigint; last: bigint; last_seq: bigint }>(
    `select (select array_agg(id::text) from sluice.job where idempotency_key = $2) as ids,
       count(*) as events, max(seq) as last, (select last_seq from sluice.job where id = $1) as last_seq
     from sluice.job_event where job_id = $1`,
    [jobId, target],
  );
  const { ids = [], events, last, last_seq: lastSeq } = rows[0] ?? {};
  if (ids.length !== 1 || ids[0] !== jobId) findings.launches.push(`${name}: ${ids.join(' ')}`);
  if (events !== last || last !== lastSeq)
    findings.events.push(`${name}: ${events} events up to ${last} of ${lastSeq}`);
}
