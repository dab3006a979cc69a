import type { ChunkStore } from '../jobs/stores.js';
import { cancellableTransaction } from './cancellable-transaction.js';
import { type ChunkRow, claimedChunkOf } from './chunk-row.js';
import { finishJob } from './finish-job.js';
import { type Announcer, type ChangedRow, signalOf, TOUCH, withEvent } from './job-change.js';
import { leaseLost } from './lease-lost.js';
import { type Pool, withTransaction } from './pool.js';
import { saveReport } from './report-store.js';

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
        rows_read = $10, rows_filtered = $11, rows_deduplicated = $12, rows_reshaped = $13, total_rows = $14,
        chunks_total = cardinality($4::int[]), ${TOUCH}
      where job.id = $1 and job.lease_token = $2 and job.state = 'RUNNING' returning job.*`,
    kind: 'STAGE',
    message: `'The source is evaluated: ' || job.chunks_total || ' parts to load.'`,
  });
  // The chunk first, then the job: its lock is taken by the last statement before the commit and so held briefly.
  const markLoaded = withEvent(announcer, {
    ctes: `loaded as (
      update sluice.chunk set state = 'LOADED', rows = $4, loaded_at = statement_timestamp(), lease_token = null,
        lease_until = null
      where job_id = $1 and ordinal = $2 and lease_token = $3 and state = 'PENDING' returning kind, rows
    ),`,
    change: `update sluice.job as job set chunks_done = job.chunks_done + 1,
        rows_loaded = job.rows_loaded + case when loaded.kind = 'QUARANTINE' then 0 else loaded.rows end,
        rows_quarantined = job.rows_quarantined + case when loaded.kind = 'QUARANTINE' then loaded.rows else 0 end,
        ${TOUCH}
      from loaded where job.id = $1 and job.state = 'RUNNING' and not job.cancel_requested returning job.*`,
    kind: 'CHUNK',
    message: `'Part ' || job.chunks_done || ' of ' || job.chunks_total || ' is loaded.'`,
    columns: 'job.chunks_done, job.chunks_total',
  });

  return {
    async insertParts({ job, token }, evaluated, prepare) {
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
        ]);
        if (!rows[0]) throw leaseLost();
        return { prepared: made, changed: rows[0] };
      });
      announcer.announce(signalOf(changed));
      return prepared;
    },

    async claimNext(jobId, token, worker, leaseMs) {
      const { rows } = await pool.query<ChunkRow>(
        `update sluice.chunk as chunk set lease_token = $2, worker = $3, attempt = chunk.attempt + 1,
           lease_until = statement_timestamp() + $4 * interval '1 ms'
         where (chunk.job_id, chunk.ordinal) = (
           select next.job_id, next.ordinal from sluice.chunk as next
           where next.job_id = $1 and next.state = 'PENDING'
             and (next.lease_until is null or next.lease_until < statement_timestamp())
             and exists (select from sluice.job where id = $1 and state = 'RUNNING' and not cancel_requested)
           order by next.ordinal limit 1 for update of next skip locked)
         returning chunk.job_id, chunk.tenant, chunk.ordinal, chunk.kind, chunk.uri, chunk.byte_offset,
           chunk.bytes, chunk.expected_rows`,
        [jobId, token, worker, leaseMs],
      );
      return rows[0] ? claimedChunkOf(rows[0], token) : null;
    },

    async commitLoaded(chunk, signal, load) {
      const changed = await cancellableTransaction(pool, signal, async (client) => {
        const loaded = await load(client);
        const { rows } = await client.query<ChangedRow & { chunks_done: number; chunks_total: number }>(markLoaded, [
          chunk.jobId,
          chunk.part.ordinal,
          chunk.token,
          loaded,
        ]);
        if (!rows[0]) throw leaseLost();
        return rows[0];
      });
      announcer.announce(signalOf(changed));
      return { chunksDone: changed.chunks_done, chunksTotal: changed.chunks_total };
    },

    finish: (attempt, signal, publish) => finishJob(pool, announcer, attempt, signal, publish),
  };
}
