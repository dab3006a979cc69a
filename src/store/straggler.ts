import type { Straggler } from '../jobs/stores.js';

export interface StragglerRow {
  readonly id: string;
  readonly priority: number;
  readonly last_seq: bigint;
}

export const stragglerOf = (row: StragglerRow): Straggler => ({
  jobId: row.id,
  priority: row.priority,
  lastSeq: Number(row.last_seq),
});
