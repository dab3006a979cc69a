import { channelOf, type JobSignal, TOPICS } from '../jobs/events.js';
import { FINAL_STATES, type JobState, type JobTransition, nextState, statesAllowing } from '../jobs/job.js';
import { ATTEMPT_BEGINS, attemptEnds } from './job-attempt.js';
import { REPORT_CTES } from './job-report.js';
import { JOB_COUNTS_JSON } from './job-row.js';
import { END_REPLAY_CTE } from './quarantine/end-replay.js';

/**
 * How a change of a job becomes known. With the bus on Postgres the NOTIFY is part of the change itself; with any
 * other bus `announce` is called after the commit. Readers that miss it find the truth in the event table.
 */
export interface Announcer {
  readonly inTransaction: boolean;
  announce(signal: JobSignal): void;
}

/** What every change answers, beside the columns that its caller asks for. */
export interface ChangedRow {
  readonly id: string;
  readonly tenant: string;
  readonly last_seq: bigint;
}

export const signalOf = (row: ChangedRow): JobSignal => ({
  jobId: row.id,
  tenant: row.tenant,
  seq: Number(row.last_seq),
});

/** The state that a transition leads to, and the guard of its update. */
export function guardOf(transition: JobTransition): { readonly from: readonly JobState[]; readonly to: JobState } {
  const from = statesAllowing(transition);
  const [to, ...others] = new Set(from.map((state) => nextState(state, transition)));
  if (to === undefined || others.length > 0) throw new Error(`the transition ${transition} leads to no single state`);
  return { from, to };
}

/** The final states as a list of SQL literals. */
export const FINAL_STATES_SQL = FINAL_STATES.map((state) => `'${state}'`).join(', ');

/** The assignments that belong to every change which is an event. */
export const TOUCH = 'last_seq = job.last_seq + 1, updated_at = statement_timestamp()';

/**
 * Makes one statement of a change, its event and its NOTIFY, so that no event is ever missing, doubled or out of order:
 * the update holds the row lock under which `last_seq` grows.
 *
 * @param ctes further CTEs before the change, each ending with a comma
 * @param change an insert or update of `sluice.job as job` that ends in `returning job.*`
 * @param message SQL for the text of the event
 * @param columns of the changed `job` to answer, beside those of `ChangedRow`
 * @param reports whether the change may end the job or make it await a decision: what the escalators have to know of it
 *   is stored with it, and the rows of a replay are let go of
 * @param attempt what the change is to the attempts of the job: it begins one, or ends the one in hand with this outcome
 *   (SQL over the changed `job`)
 */
export function withEvent(
  announcer: Announcer,
  {
    ctes = '',
    change,
    kind,
    message,
    columns = '',
    reports = false,
    attempt,
  }: {
    readonly ctes?: string;
    readonly change: string;
    readonly kind: 'STATE' | 'STAGE' | 'CHUNK';
    readonly message: string;
    readonly columns?: string;
    readonly reports?: boolean;
    readonly attempt?: 'BEGINS' | { readonly ends: string };
  },
): string {
  const notify = announcer.inTransaction
    ? `, pg_notify('${channelOf(TOPICS.jobs)}', json_build_object('jobId', job.id, 'tenant', job.tenant, 'seq', job.last_seq)::text)`
    : '';
  const attempts = attempt === undefined ? '' : attempt === 'BEGINS' ? ATTEMPT_BEGINS : attemptEnds(attempt.ends);
  return `with ${ctes} job as (${change}),
    event as (
      insert into sluice.job_event (job_id, seq, tenant, kind, state, stage, progress, message, error)
      select job.id, job.last_seq, job.tenant, '${kind}', job.state, job.stage, ${JOB_COUNTS_JSON}, ${message}, job.error from job
    )${attempts}${reports ? REPORT_CTES + END_REPLAY_CTE : ''}
    select job.id as id, job.tenant as tenant, job.last_seq as last_seq ${columns && `, ${columns}`} ${notify} from job`;
}
