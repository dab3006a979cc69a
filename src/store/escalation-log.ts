import { contentAddress, plainJson } from '../../escalation/canonical-json.js';
import type { LogEntry } from '../../escalation/ports.js';
import type { Queryable } from './pool.js';

/** What a row of the log is made from; its place and its time come with it being written. */
export type NewLogEntry = Pick<LogEntry, 'escalationId' | 'kind' | 'actor' | 'agents' | 'status' | 'data'>;

export type TenantLogEntry = NewLogEntry & { readonly tenant: string };

/** A row of sluice.escalation_log. */
export interface LogRow {
  readonly tenant: string;
  readonly seq: bigint;
  readonly escalation_id: string | null;
  readonly at: Date;
  readonly kind: string;
  readonly actor: string;
  readonly agents: readonly string[];
  readonly status: LogEntry['status'];
  readonly data: LogEntry['data'];
  readonly prev_hash: string;
  readonly hash: string;
}

export const logEntryOf = (row: LogRow): LogEntry => ({
  tenant: row.tenant,
  seq: Number(row.seq),
  escalationId: row.escalation_id,
  at: row.at,
  kind: row.kind,
  actor: row.actor,
  agents: row.agents,
  status: row.status,
  data: row.data,
  prevHash: row.prev_hash,
  hash: row.hash,
});

/** The hash of a row: over everything in it and the hash of the row before, so that none can change, go or move unseen. */
export const hashOf = (entry: Omit<LogEntry, 'hash'>): string =>
  contentAddress({ ...entry, at: entry.at.toISOString(), agents: [...entry.agents] });

interface Head {
  readonly seq: bigint;
  readonly hash: string;
  readonly at: Date;
}

async function lockHead(db: Queryable, tenant: string): Promise<Head | undefined> {
  // Milliseconds are what JavaScript keeps of a time, and so what can be hashed.
  const { rows } = await db.query<Head>(
    `select seq, hash, date_trunc('milliseconds', clock_timestamp()) as at
     from sluice.escalation_log_head where tenant = $1 for update`,
    [tenant],
  );
  return rows[0];
}

async function beginLog(db: Queryable, tenant: string): Promise<Head> {
  await db.query('insert into sluice.escalation_log_head (tenant) values ($1) on conflict do nothing', [tenant]);
  const head = await lockHead(db, tenant);
  if (!head) throw new Error('the head of the log is gone');
  return head;
}

/**
 * Appends rows, in their order. The head's lock makes the order of commits the order of the log; it is the last lock
 * that a transaction takes, so call this last.
 */
export async function appendToLog(db: Queryable, tenant: string, entries: readonly NewLogEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const head = (await lockHead(db, tenant)) ?? (await beginLog(db, tenant));
  let [seq, prevHash] = [Number(head.seq), head.hash];
  const written = entries.map((entry) => {
    seq += 1;
    const row = { ...entry, data: plainJson(entry.data) as LogEntry['data'], tenant, seq, at: head.at, prevHash };
    const hash = hashOf(row);
    prevHash = hash;
    return { ...row, at: row.at.toISOString(), hash };
  });
  await db.query(
    `with rows as (
       insert into sluice.escalation_log
         (tenant, seq, escalation_id, at, kind, actor, agents, status, data, prev_hash, hash)
       select $1, seq, "escalationId", at, kind, actor, agents, status, data, "prevHash", hash
       from jsonb_to_recordset($2) as entry (seq bigint, "escalationId" uuid, at timestamptz, kind text, actor text,
         agents text[], status text, data jsonb, "prevHash" text, hash text)
     )
     update sluice.escalation_log_head set seq = $3, hash = $4 where tenant = $1`,
    [tenant, JSON.stringify(written), seq, prevHash],
  );
}

/** Appends rows of any tenants; each tenant's in their order. Call this last, and in place of appendToLog. */
export async function appendByTenant(db: Queryable, entries: readonly TenantLogEntry[]): Promise<void> {
  // In one order everywhere, since each head is locked.
  const tenants = [...new Set(entries.map(({ tenant }) => tenant))].sort();
  for (const tenant of tenants) {
    const own = entries.filter((entry) => entry.tenant === tenant);
    await appendToLog(
      db,
      tenant,
      own.map(({ tenant: _, ...entry }) => entry),
    );
  }
}
