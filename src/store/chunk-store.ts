import type { ChunkStore, ClaimedChunk, LoadedPart, LoadProgress } from '../jobs/stores.js';
import { cancellableTransaction } from './cancellable-transaction.js';
import { CHUNK_COLUMNS, type ChunkRow, claimedChunkOf } from './chunk-row.js';
import { finishJob } from './finish-job.js';
import { type Announcer, type ChangedRow, signalOf, TOUCH, withEvent } from './job-change.js';
import { leaseLost } from './lease-lost.js';
import { type Pool, type Queryable, withTransaction } from './pool.js';
import { saveReport } from './report-store.js';
import { rollBack } from './roll-back.js';

type MarkedRow = ChangedRow & { readonly chunks_done: number; readonly chunks_total: number };

/** @param pool of its own for loads, so that long COPYs never keep a heartbeat waiting for a connection */
export function createChunkStore(pool: Pool, announcer: Announcer): ChunkStore {
  const enterLoading = withEvent(announcer, {
    ctes: `parts as (
      insert into sluice.chunk (job_id, tenant, ordinal, kind, uri, bytes, expected_rows, byte_offset)
      select $1, $3, part.ordinal, part.kind, part.uri, part.bytes, part.expected_rows, part.byte_offset
      from unnest($4::int[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $15::bigint[])
        as part (ordinal, kind, uri, bytes, expected_rows, byte_offset)
    ),`,
    change: `update sluice.job as job set stage = 'LOADING', loading_at = statement_timestamp(), prepared = $9,
        part_effect = $16, source_columns = $17, takeovers = 0,
        rows_read = $10, rows_filtered = $11, rows_deduplicated = $12, rows_reshaped = $13, total_rows = $14,
        chunks_total = cardinality($4::int[]), ${TOUCH}
      where job.id = $1 and job.lease_token = $2 and job.state = 'RUNNING' returning job.*`,
    kind: 'STAGE',
    message: `'The source is evaluated: ' || job.chunks_total || ' parts to load.'`,
  });
  // The chunk first, then the job: its lock is taken by the last statement before the commit and so held briefly. A part
  // that is loaded is progress, whatever became of the workers before.
  const markLoaded = withEvent(announcer, {
    ctes: `loaded as (
      update sluice.chunk set state = 'LOADED', rows = $4, loaded_at = statement_timestamp(), lease_token = null,
        lease_until = null
      where job_id = $1 and ordinal = $2 and lease_token = $3 and state = 'PENDING' returning kind, rows
    ),`,
    change: `update sluice.job as job set chunks_done = job.chunks_done + 1,
        rows_loaded = job.rows_loaded + case when loaded.kind = 'QUARANTINE' then 0 else loaded.rows end,
        rows_quarantined = job.rows_quarantined + case when loaded.kind = 'QUARANTINE' then loaded.rows else 0 end,
        rows_rechecked = case when $6::bigint is null then job.rows_rechecked
          else coalesce(job.rows_rechecked, 0) + $6 end,
        rows_differing = job.rows_differing + $7::bigint, takeovers = 0, ${TOUCH}
      from loaded where job.id = $1 and job.state = 'RUNNING' and ($5 or not job.cancel_requested) returning job.*`,
    kind: 'CHUNK',
    message: `'Part ' || job.chunks_done || ' of ' || job.chunks_total || ' is loaded.'`,
    columns: 'job.chunks_done, job.chunks_total',
  });
  const retryChunk = withEvent(announcer, {
    ctes: `failed as (
      update sluice.chunk set failures = failures + 1, due_at = statement_timestamp() + $4::float8 * interval '1 ms',
        lease_token = null, lease_until = null, worker = null
      where job_id = $1 and ordinal = $2 and lease_token = $3 and state = 'PENDING' returning ordinal
    ),`,
    change: `update sluice.job as job set ${TOUCH} from failed where job.id = $1 and job.state = 'RUNNING' returning job.*`,
    kind: 'STAGE',
    message: `'Part ' || ($2::integer + 1) || ' of ' || job.chunks_total || ' is tried again in ' || $4::float8 || ' ms: ' || $5`,
  });

  /** @param isInTarget whether the rows are committed elsewhere, so that the job has them whatever it was told meanwhile */
  async function mark(
    client: Queryable,
    { jobId, part, token }: ClaimedChunk,
    { rows, recheck }: LoadedPart,
    isInTarget: boolean,
  ): Promise<MarkedRow> {
    const values = [jobId, part.ordinal, token, rows, isInTarget, recheck?.rows ?? null, recheck?.differing ?? 0];
    const marked = await client.query<MarkedRow>(markLoaded, values);
    if (!marked.rows[0]) throw leaseLost();
    return marked.rows[0];
  }

  function announceLoaded(row: MarkedRow): LoadProgress {
    announcer.announce(signalOf(row));
    return { chunksDone: row.chunks_done, chunksTotal: row.chunks_total };
  }

  return {
    async insertParts({ job, token }, evaluated, prepare, effectOf) {
      const { parts } = evaluated;
      const { prepared, changed } = await withTransaction(pool, async (client) => {
        const made = await prepare(client);
        await saveReport(client, job.tenant, job.id, evaluated.expectations);
        const { rows } = await client.query<ChangedRow>(enterLoading, [
          job.id,
          token,
          job.tenant,
          parts.map((part) => part.ordinal),
          parts.map((part) => part.kind),
          parts.map((part) => part.uri),
          parts.map((part) => part.bytes),
          parts.map((part) => part.expectedRows),
          JSON.stringify(made),
          evaluated.rowsRead,
          evaluated.rowsFiltered,
          evaluated.rowsDeduplicated,
          evaluated.rowsReshaped,
          evaluated.rowsGood,
          parts.map((part) => part.offset),
          effectOf?.(made) ?? null,
          JSON.stringify(evaluated.sourceColumns),
        ]);
        if (!rows[0]) throw leaseLost();
        return { prepared: made, changed: rows[0] };
      });
      announcer.announce(signalOf(changed));
      return prepared;
    },

    async claimNext(jobId, token, worker, leaseMs) {
      const { rows } = await pool.query<ChunkRow>(
        `update sluice.chunk as chunk set lease_token = $2, worker = $3, attempt = chunk.attempt + 1, due_at = null,
           lease_until = statement_timestamp() + $4 * interval '1 ms'
         where (chunk.job_id, chunk.ordinal) = (
           select next.job_id, next.ordinal from sluice.chunk as next
           where next.job_id = $1 and next.state = 'PENDING'
             and (next.lease_until is null or next.lease_until < statement_timestamp())
             and (next.due_at is null or next.due_at <= statement_timestamp())
             and exists (select from sluice.job
               where id = $1 and state = 'RUNNING' and not cancel_requested and not pause_requested)
           order by next.ordinal limit 1 for update of next skip locked)
         returning ${CHUNK_COLUMNS}`,
        [jobId, token, worker, leaseMs],
      );
      return rows[0] ? claimedChunkOf(rows[0], token) : null;
    },

    async commitLoaded(chunk, signal, load) {
      return announceLoaded(
        await cancellableTransaction(pool, signal, async (client) => mark(client, chunk, await load(client), false)),
      );
    },

    countLoaded: async (chunk, loaded) => announceLoaded(await mark(pool, chunk, loaded, true)),

    async retryLater({ jobId, part, token }, dueInMs, reason) {
      const { rows } = await pool.query<ChangedRow>(retryChunk, [jobId, part.ordinal, token, dueInMs, reason]);
      if (!rows[0]) throw leaseLost();
      announcer.announce(signalOf(rows[0]));
    },

    rollBack: rollBack(pool, announcer),

    finish: (attempt, signal, publish, isElsewhere = false) =>
      finishJob(pool, announcer, { attempt, signal, publish, isElsewhere }),
  };
}
