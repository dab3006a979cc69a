import type { ClaimedChunk, Part } from '../jobs/stores.js';

export interface ChunkRow {
  readonly job_id: string;
  readonly tenant: string;
  readonly ordinal: number;
  readonly kind: Part['kind'];
  readonly uri: string;
  readonly byte_offset: bigint;
  readonly bytes: bigint;
  readonly expected_rows: bigint | null;
  readonly failures: number;
}

/** The columns of `ChunkRow`, of a relation that is called `chunk`. */
export const CHUNK_COLUMNS = `chunk.job_id, chunk.tenant, chunk.ordinal, chunk.kind, chunk.uri, chunk.byte_offset,
  chunk.bytes, chunk.expected_rows, chunk.failures`;

export const partOf = (row: ChunkRow): Part => ({
  ordinal: row.ordinal,
  kind: row.kind,
  uri: row.uri,
  offset: Number(row.byte_offset),
  bytes: Number(row.bytes),
  expectedRows: row.expected_rows === null ? null : Number(row.expected_rows),
});

export const claimedChunkOf = (row: ChunkRow, token: string): ClaimedChunk => ({
  jobId: row.job_id,
  tenant: row.tenant,
  token,
  failures: row.failures,
  part: partOf(row),
});
