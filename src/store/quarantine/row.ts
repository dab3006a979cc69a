import type { QuarantineChange, QuarantinedRow, QuarantineReason, QuarantineStatus } from '../../jobs/job.js';

export interface QuarantineRow {
  readonly id: bigint;
  readonly job_id: string;
  readonly chunk: number;
  readonly row_number: bigint | null;
  readonly file: string | null;
  /** Written by the engine in this shape. */
  readonly reasons: readonly QuarantineReason[];
  readonly raw: string;
  readonly status: QuarantineStatus;
  readonly fixed: string | null;
  /** Written by the changes of `changes.ts` in this shape. */
  readonly history: readonly (Omit<QuarantineChange, 'at'> & { readonly at: string })[] | null;
  readonly replay_job_id: string | null;
  readonly origin_id: bigint | null;
  readonly created_at: Date;
}

/** The columns of `QuarantineRow`, of a relation that is called `bad`. */
export const QUARANTINE_COLUMNS = `bad.id, bad.job_id, bad.chunk, bad.row_number, bad.file, bad.reasons, bad.raw,
  bad.status, bad.fixed, bad.history, bad.replay_job_id, bad.origin_id, bad.created_at`;

export const quarantinedRowOf = (row: QuarantineRow): QuarantinedRow => ({
  id: String(row.id),
  jobId: row.job_id,
  chunk: row.chunk,
  rowNumber: row.row_number === null ? null : Number(row.row_number),
  file: row.file,
  reasons: row.reasons,
  raw: row.raw,
  status: row.status,
  fixedValues: row.fixed,
  history: (row.history ?? []).map((change) => ({ ...change, at: new Date(change.at) })),
  replayJobId: row.replay_job_id,
  originId: row.origin_id === null ? null : String(row.origin_id),
  createdAt: row.created_at,
});
