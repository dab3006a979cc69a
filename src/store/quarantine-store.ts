import { isId } from '../core/ids.js';
import type { QuarantinedRow, QuarantineReason } from '../jobs/job.js';
import type { QuarantineStore } from '../jobs/stores.js';
import { decodeCursor, encodeCursor } from './cursor.js';
import type { Pool } from './pool.js';

/** The columns of a QUARANTINE part, in order; the defaults of the table add tenant, job and chunk. */
const PART_COLUMNS = ['row_number', 'file', 'reasons', 'raw'] as const;

// Always fits a bigint.
const ROW_KEY = /^\d{1,18}$/;

interface QuarantineRow {
  readonly id: bigint;
  readonly job_id: string;
  readonly chunk: number;
  readonly row_number: bigint | null;
  readonly file: string | null;
  /** Written by the engine in this shape. */
  readonly reasons: readonly QuarantineReason[];
  readonly raw: string;
  readonly created_at: Date;
}

const quarantinedRowOf = (row: QuarantineRow): QuarantinedRow => ({
  id: String(row.id),
  jobId: row.job_id,
  chunk: row.chunk,
  rowNumber: row.row_number === null ? null : Number(row.row_number),
  file: row.file,
  reasons: row.reasons,
  raw: row.raw,
  createdAt: row.created_at,
});

export function createQuarantineStore(pool: Pool): QuarantineStore {
  return {
    async beginCopy(client, { tenant, jobId, part }) {
      await client.query(
        `select set_config('sluice.tenant', $1, true), set_config('sluice.job_id', $2, true),
           set_config('sluice.chunk', $3, true)`,
        [tenant, jobId, String(part.ordinal)],
      );
      return { table: { schema: 'sluice', name: 'quarantine' }, columns: PART_COLUMNS };
    },

    async list(tenant, { jobId, code, column }, { first, after }) {
      if (!isId(jobId)) return { items: [], hasNextPage: false, totalCount: 0 };
      const cursorName = `quarantine/${jobId}`;
      const filter = [tenant, jobId, code ?? null, column ?? null];
      const where = `tenant = $1 and job_id = $2
        and ($3::text is null or reasons @> jsonb_build_array(jsonb_build_object('code', $3::text)))
        and ($4::text is null or reasons @> jsonb_build_array(jsonb_build_object('column', $4::text)))`;
      const [afterId] = after === null ? ['0'] : decodeCursor(cursorName, after, [ROW_KEY]);
      const [{ rows }, { rows: counted }] = await Promise.all([
        pool.query<QuarantineRow>(
          `select id, job_id, chunk, row_number, file, reasons, raw, created_at
           from sluice.quarantine where ${where} and id > $5::bigint order by id limit $6`,
          [...filter, afterId, first + 1],
        ),
        pool.query<{ total: bigint }>(`select count(*) as total from sluice.quarantine where ${where}`, filter),
      ]);
      return {
        items: rows
          .slice(0, first)
          .map((row) => ({ cursor: encodeCursor(cursorName, [String(row.id)]), node: quarantinedRowOf(row) })),
        hasNextPage: rows.length > first,
        totalCount: Number(counted[0]?.total ?? 0),
      };
    },
  };
}
