import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../core/errors.js';
import { FAILURE_CLASSES } from '../core/failure-class.js';
import type { Job, JobError, JobKind, JobProgress, JobStage, JobState } from '../jobs/job.js';

/** Counts of a job as a row, or as the `progress` of a stored event. */
export interface CountsRow {
  readonly rows_read: bigint | number;
  readonly rows_loaded: bigint | number;
  readonly rows_filtered: bigint | number;
  readonly rows_deduplicated: bigint | number;
  readonly rows_quarantined: bigint | number;
  readonly rows_reshaped: bigint | number;
  readonly total_rows: bigint | number | null;
  readonly chunks_done: number;
  readonly chunks_total: number | null;
  /** Milliseconds from the begin of loading until now, or until the end. */
  readonly loading_ms: number | null;
}

export interface JobRow extends CountsRow {
  readonly id: string;
  readonly tenant: string;
  readonly kind: JobKind;
  readonly name: string;
  readonly owner: string;
  readonly state: JobState;
  readonly stage: JobStage | null;
  readonly spec: unknown;
  readonly idempotency_key: string | null;
  readonly priority: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly error: unknown;
  readonly last_seq: bigint;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly due_at: Date | null;
  readonly cancel_requested: boolean;
  readonly replay_of: string | null;
}

const LOADING_MS = `(extract(epoch from coalesce(job.finished_at, statement_timestamp()) - job.loading_at) * 1000)::float8`;

/** The columns of `JobRow`, of a relation that is called `job`. */
export const JOB_COLUMNS = `job.id, job.tenant, job.kind, job.name, job.owner, job.state, job.stage, job.spec,
  job.idempotency_key, job.priority, job.attempt, job.max_attempts, job.error, job.rows_read, job.rows_loaded,
  job.rows_filtered, job.rows_deduplicated, job.rows_quarantined, job.rows_reshaped, job.total_rows, job.chunks_done,
  job.chunks_total, job.last_seq, job.created_at, job.started_at, job.finished_at, job.due_at, job.cancel_requested,
  job.replay_of, ${LOADING_MS} as loading_ms`;

/** The same counts as JSON, for the event that is stored with a change of the job. */
export const JOB_COUNTS_JSON = `jsonb_build_object('rows_read', job.rows_read, 'rows_loaded', job.rows_loaded,
  'rows_filtered', job.rows_filtered, 'rows_deduplicated', job.rows_deduplicated,
  'rows_quarantined', job.rows_quarantined, 'rows_reshaped', job.rows_reshaped, 'total_rows', job.total_rows,
  'chunks_done', job.chunks_done, 'chunks_total', job.chunks_total, 'loading_ms', ${LOADING_MS})`;

const countOrNull = (value: bigint | number | null): number | null => (value === null ? null : Number(value));

const shareOf = (done: number, total: number | null): number | null =>
  total === null ? null : total === 0 ? 1 : done / total;

/** @param state and stage decide which share counts: only loading knows its own from stored counts */
export function progressOf(row: CountsRow, state: JobState, stage: JobStage | null): JobProgress {
  const rowsLoaded = Number(row.rows_loaded);
  const totalRows = countOrNull(row.total_rows);
  const seconds = (row.loading_ms ?? 0) / 1000;
  const rowsPerSecond = seconds > 0 ? rowsLoaded / seconds : null;
  const isLoading = state === 'RUNNING' && (stage === 'LOADING' || stage === 'FINISHING');
  const etaKnown = isLoading && totalRows !== null && rowsPerSecond !== null && rowsPerSecond > 0;
  return {
    rowsRead: Number(row.rows_read),
    rowsLoaded,
    rowsFiltered: Number(row.rows_filtered),
    rowsDeduplicated: Number(row.rows_deduplicated),
    rowsQuarantined: Number(row.rows_quarantined),
    rowsReshaped: Number(row.rows_reshaped),
    totalRows,
    chunksDone: row.chunks_done,
    chunksTotal: row.chunks_total,
    rowsPerSecond,
    etaSeconds: etaKnown ? Math.max(0, totalRows - rowsLoaded) / rowsPerSecond : null,
    stageProgress: state === 'SUCCEEDED' ? 1 : isLoading ? shareOf(row.chunks_done, row.chunks_total) : null,
  };
}

const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERROR_CODES, text);

/** A stored code. One of a newer version is an error all the same, only without its name. */
export const errorCodeOf = (text: string): ErrorCode => (isErrorCode(text) ? text : 'INTERNAL');

const jobError = z.object({
  code: z.string().transform(errorCodeOf),
  failureClass: z.enum(FAILURE_CLASSES),
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])).exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});

export function jobErrorOf(json: unknown): JobError | null {
  return json === null ? null : jobError.parse(json);
}

export function jobOf(row: JobRow): Job {
  return {
    id: row.id,
    tenant: row.tenant,
    kind: row.kind,
    name: row.name,
    owner: row.owner,
    state: row.state,
    stage: row.stage,
    spec: row.spec,
    idempotencyKey: row.idempotency_key,
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    error: jobErrorOf(row.error),
    progress: progressOf(row, row.state, row.stage),
    lastSeq: Number(row.last_seq),
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    dueAt: row.due_at,
    cancelRequested: row.cancel_requested,
    replayOf: row.replay_of,
  };
}
