import { roleLookup } from '../../../escalation/role-lookup.js';
import { derivedId } from '../../../src/core/ids.js';
import { openEscalationStores } from '../../../src/store/open-escalation-stores.js';
import type { Pool } from '../../../src/store/pool.js';
import type { Agents } from './agents.js';
import { type Findings, noFindings } from './findings.js';
import type { Inbox } from './inbox.js';
import { judgeDelivery, judgeReceipts } from './judge-deliveries.js';
import { judgeEffects, nothingSeen, see } from './judge-effects.js';
import { judgeEscalation } from './judge-escalation.js';
import type { EscalationProcess } from './open-process.js';
import { readOutbox } from './outbox-row.js';
import { TENANTS } from './workload.js';

/** When something was due, and how late it was done. */
export interface Late {
  /** Milliseconds of the wall clock. */
  readonly dueAt: number;
  readonly lateMs: number;
}

export interface Judgement {
  readonly findings: Findings;
  readonly escalations: number;
  readonly notifications: number;
  readonly logRows: number;
  /** Verdicts that were carried out, or could not be. */
  readonly verdicts: number;
  readonly steps: readonly Late[];
  readonly deliveries: readonly Late[];
  readonly openings: readonly Late[];
}

const AT_ONCE = 4;

const late = (dueAt: number, at: Date): Late => ({ dueAt, lateMs: at.getTime() - dueAt });

/** Holds everything in the database, and everything that agents were told, against the state table. */
export async function judge(
  { stores: { pool }, chart }: EscalationProcess,
  inbox: Inbox,
  agents: Pick<Agents, 'accepted'>,
): Promise<Judgement> {
  const findings = noFindings();
  const seen = nothingSeen();
  const stores = openEscalationStores(pool);
  const lookup = roleLookup(chart);
  const steps: Late[] = [];
  const deliveries: Late[] = [];
  const openings: Late[] = [];
  const reportedAt = await readReportTimes(pool);
  const known = new Set<string>();
  const written = new Set<string>();
  let verdicts = 0;

  async function judgeOne(tenant: string, id: string): Promise<void> {
    const [escalation, entries, outbox] = await Promise.all([
      stores.escalations.get(tenant, id),
      stores.entries.ofEscalation(tenant, id),
      readOutbox(pool, tenant, id),
    ]);
    const policy = escalation && (await stores.policies.get(tenant, escalation.policyId, escalation.policyVersion));
    if (!escalation || !policy) throw new Error(`escalation ${id} has no policy`);
    const ladder = { policy, owner: escalation.owner, lookup };
    const { changes } = judgeEscalation({ escalation, entries, outbox, ladder }, agents.accepted, findings);
    for (const version of changes.keys()) written.add(`${id} ${version + 1}`);
    verdicts += changes.filter(({ kind }) => kind === 'APPLIED' || kind === 'FAILED').length;
    see(seen, id, entries, changes.at(-1)?.kind);
    for (const { kind, at, data } of entries) {
      if (kind === 'DUE') steps.push(late(Date.parse(String(data.dueAt)), at));
      const reported = reportedAt.get(id);
      if (kind === 'OPEN' && reported !== undefined) openings.push(late(reported, at));
    }
    for (const row of outbox) {
      known.add(row.id);
      const lateMs = judgeDelivery(tenant, id, row, inbox, findings);
      if (lateMs !== null) deliveries.push({ dueAt: row.created_at.getTime(), lateMs });
    }
  }

  const { rows } = await pool.query<{ id: string; tenant: string }>('select id, tenant from sluice.escalation');
  const left = rows.values();
  const lane = async () => {
    for (const { tenant, id } of left) await judgeOne(tenant, id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  for (const [version, { kind, agent }] of agents.accepted) {
    if (!written.has(version)) findings.writes.push(`${agent}'s ${kind} is not in the log: ${version}`);
  }
  judgeReceipts(inbox, known, findings);
  await judgeEffects(pool, seen, findings);

  let logRows = 0;
  for (const tenant of TENANTS) {
    const problem = await stores.entries.verify(tenant);
    if (problem) findings.log.push(`${tenant}, row ${problem.seq}: ${problem.problem}`);
    const counted = await pool.query<{ count: number }>(
      'select count(*)::int as count from sluice.escalation_log where tenant = $1',
      [tenant],
    );
    const [count, last] = [counted.rows[0]?.count ?? 0, await stores.entries.lastSeq(tenant)];
    if (count !== last) findings.log.push(`${tenant}: ${count} rows, and the last is number ${last}`);
    logRows += count;
  }
  const counts = { escalations: rows.length, notifications: known.size, logRows, verdicts };
  return { findings, ...counts, steps, deliveries, openings };
}

/** When each escalation was reported, by its id; not of those that somebody opened by hand. */
async function readReportTimes(pool: Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ id: string; at: Date }>('select id, at from sluice.failure_report');
  return new Map(rows.map(({ id, at }) => [derivedId(id, 'escalation'), at.getTime()]));
}
