import { SluiceError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Redrive, RedriveOrder, RefusedDeadLetter } from '../../jobs/dead-letters/ports.js';
import { type Remains, wayBackOf } from '../../jobs/dead-letters/way-back.js';
import { failureOf } from '../../jobs/failure.js';
import type { SinkConnections } from '../../jobs/stores.js';
import { MESSAGE_LENGTH } from '../job-attempt.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from '../job-change.js';
import { type Pool, type PoolClient, withTransaction } from '../pool.js';
import { BEGUN_ANEW, NOT_EVALUATED } from '../requeue-job.js';
import { type ChosenJob, chooseDeadLetters, takenOf } from './choose.js';

interface RedriveDeps {
  readonly pool: Pool;
  readonly announcer: Announcer;
  readonly connections: Pick<SinkConnections, 'isSystem'>;
}

interface RedriveRow {
  readonly id: string;
  readonly input_hash: string;
  readonly taken: number;
  readonly remaining: number;
  readonly refused_count: number;
  /** Written below alone. */
  readonly refused: readonly RefusedDeadLetter[];
  readonly last_due_at: Date | null;
}

/** The turn of a job: seconds from now. */
interface Turn {
  readonly id: string;
  readonly afterSeconds: number;
}

type RevivedRow = ChangedRow & { readonly due_at: Date };

/** How a statement brings jobs back that died, and what it remembers of that. The rows are locked before. */
function reviving(
  announcer: Announcer,
  { ctes = '', change = '' }: { readonly ctes?: string; readonly change?: string },
) {
  const { to } = guardOf('REVIVE');
  return withEvent(announcer, {
    ctes: `chosen as (
        select dead.id, dead.tenant, turn.after_s, dead.error ->> 'code' as died_of, left(dead.error ->> 'message', ${MESSAGE_LENGTH}) as last_words,
          dead.finished_at, dead.fingerprint,
          1 + (select count(*)::int from sluice.job_redrive as before where before.job_id = dead.id) as number
        from unnest($1::uuid[], $2::float8[]) as turn (id, after_s) join sluice.job as dead on dead.id = turn.id
      ), told as (
        insert into sluice.job_redrive (job_id, number, tenant, redrive_id, died_at, fingerprint, error_code, error_message)
        select id, number, tenant, $3, coalesce(finished_at, statement_timestamp()), fingerprint, died_of, last_words from chosen
      ), ${ctes}`,
    change: `update sluice.job as job set state = '${to}', ${BEGUN_ANEW}, held = false, redrive_id = $3,
        due_at = statement_timestamp() + chosen.after_s * interval '1 s' ${change}, ${TOUCH}
      from chosen where job.id = chosen.id and job.state = 'DEAD' returning job.*, chosen.number, chosen.died_of`,
    kind: 'STATE',
    message: `'Redriven by ' || $4::text || ', number ' || job.number || coalesce(', after ' || job.died_of, '') || '.'`,
    columns: 'job.due_at',
  });
}

/**
 * Brings dead jobs back. Each gets a turn, which is a row: RETRYING until it is due, and then queued by the sweeper, so that
 * neither a restart nor a second gateway hurries or loses one. All of it is one transaction: two at once take a job once.
 */
export function redriveDeadLetters({ pool, announcer, connections }: RedriveDeps) {
  const resume = reviving(announcer, {});
  const restart = reviving(announcer, {
    ctes: `parts as (delete from sluice.chunk as part using chosen where part.job_id = chosen.id),
      report as (delete from sluice.expectation_result as result using chosen where result.job_id = chosen.id),
      bad as (delete from sluice.quarantine as bad using chosen
        where bad.tenant = chosen.tenant and bad.job_id = chosen.id),`,
    change: `, ${NOT_EVALUATED.change}`,
  });

  const remainsOf = ({ isEvaluated, isPrepared, partEffect, isLoaded, connection }: ChosenJob): Remains => ({
    isEvaluated,
    isPrepared,
    partEffect,
    // What another database has committed may not be counted here.
    mayBeLoaded: isLoaded || !connections.isSystem(connection),
  });

  /** @returns undefined when the key was used before */
  async function begin(
    client: PoolClient,
    tenant: string,
    by: string,
    order: RedriveOrder,
  ): Promise<string | undefined> {
    const { rows } = await client.query<{ id: string }>(
      // A second one with the same key waits here for the commit of the first.
      `insert into sluice.redrive (id, tenant, requested_by, rate_per_second, idempotency_key, input_hash)
       values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant, idempotency_key) where idempotency_key is not null do nothing returning id`,
      [newId(), tenant, by, order.ratePerSecond, order.idempotencyKey, order.inputHash],
    );
    return rows[0]?.id;
  }

  async function replay(client: PoolClient, tenant: string, order: RedriveOrder): Promise<Redrive> {
    const { rows } = await client.query<RedriveRow>(
      `select id, input_hash, taken, remaining, refused_count, refused, last_due_at from sluice.redrive
       where tenant = $1 and idempotency_key = $2`,
      [tenant, order.idempotencyKey],
    );
    const [row] = rows;
    if (row === undefined) throw new SluiceError('UNAVAILABLE', 'The redrive could not be stored; try again.');
    if (row.input_hash !== order.inputHash) {
      const message = `The idempotency key was used before with another input, by redrive ${row.id}; use a new key.`;
      throw new SluiceError('IDEMPOTENCY_CONFLICT', message, { path: ['idempotencyKey'] });
    }
    const { id, taken, remaining, refused, refused_count: refusedCount, last_due_at: lastDueAt } = row;
    return { id, taken, remaining, refused, refusedCount, lastDueAt };
  }

  async function carryOut(client: PoolClient, tenant: string, by: string, id: string, order: RedriveOrder) {
    const chosen = await chooseDeadLetters(client, tenant, order.selection);
    const turns: Record<'RESUME' | 'RESTART', Turn[]> = { RESUME: [], RESTART: [] };
    const refused = [...chosen.refused];
    let turn = 0;
    for (const job of chosen.jobs) {
      const way = job.isReplay ? 'IS_REPLAY' : wayBackOf(remainsOf(job));
      if (way !== 'RESUME' && way !== 'RESTART') refused.push({ jobId: job.id, reason: way });
      // Whole seconds: whoever gives the turns wakes up once a second, and not once a job.
      else turns[way].push({ id: job.id, afterSeconds: Math.floor(turn++ / order.ratePerSecond) });
    }
    const changed: RevivedRow[] = [];
    for (const [way, statement] of [
      ['RESUME', resume],
      ['RESTART', restart],
    ] as const) {
      if (turns[way].length === 0) continue;
      const [ids, seconds] = [turns[way].map((one) => one.id), turns[way].map((one) => one.afterSeconds)];
      changed.push(...(await client.query<RevivedRow>(statement, [ids, seconds, id, by])).rows);
    }
    const taken = takenOf(changed.length, refused, chosen.remaining);
    const lastDueAt = changed.reduce<Date | null>((last, { due_at: at }) => (last && last > at ? last : at), null);
    await client.query(
      `update sluice.redrive set taken = $2, remaining = $3, refused_count = $4, refused = $5, last_due_at = $6 where id = $1`,
      [id, taken.taken, taken.remaining, taken.refusedCount, JSON.stringify(taken.refused), lastDueAt],
    );
    return { changed, redrive: { id, ...taken, lastDueAt } };
  }

  return async (tenant: string, by: string, order: RedriveOrder): Promise<{ redrive: Redrive; replayed: boolean }> => {
    try {
      const { changed, ...answer } = await withTransaction(pool, async (client) => {
        // Whoever ends a job removes what it left with its row locked.
        await client.query(`set local lock_timeout = '10s'`);
        const id = await begin(client, tenant, by, order);
        if (id === undefined) return { changed: [], redrive: await replay(client, tenant, order), replayed: true };
        return { ...(await carryOut(client, tenant, by, id, order)), replayed: false };
      });
      for (const row of changed) announcer.announce(signalOf(row));
      return answer;
    } catch (error) {
      throw failureOf(error);
    }
  };
}
