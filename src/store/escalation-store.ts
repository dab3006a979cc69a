import type { EscalationEvent } from '../../escalation/escalation.js';
import { dedupKey, type Policy } from '../../escalation/policy.js';
import { defaultPolicy } from '../../escalation/policy-defaults.js';
import type { EscalationStore } from '../../escalation/ports.js';
import type { VerdictKind } from '../../escalation/verdict.js';
import { SluiceError } from '../core/errors.js';
import {
  concerned,
  logEntryFor,
  notifiedBy,
  storeChange,
  storeChanges,
  storeNotifications,
} from './escalation-change.js';
import { heldJobs, refuseToLeaveJobs } from './escalation-jobs.js';
import { listEscalations } from './escalation-list.js';
import { appendByTenant, appendToLog } from './escalation-log.js';
import { columnsOf, type EscalationRow, escalationOf } from './escalation-row.js';
import { endReport, lockReport, takeReports } from './failure-reports.js';
import type { PinnedPolicies } from './pinned-policies.js';
import { type Pool, type Queryable, withTransaction } from './pool.js';

/** A verdict has acted on every job before it closes an escalation; these have not. */
const CLOSES_WITHOUT_VERDICT: ReadonlySet<EscalationEvent['kind']> = new Set(['RESOLVE', 'RECOVER']);

/**
 * Escalations and the reports that open them. Locks are taken in one order everywhere: a report first, escalations then,
 * the head of the log last.
 */
export function createEscalationStore(pool: Pool, pinned: PinnedPolicies): EscalationStore {
  /** On the caller's own connection: waiting for a second one while a transaction holds the first may never end. */
  async function policyOf(
    db: Queryable,
    { tenant, policy_id: id, policy_version: version, failure_class: failureClass }: EscalationRow,
  ): Promise<Policy> {
    // One that somebody has deleted must not keep all the others from moving.
    return (await pinned.read(db, tenant, id, version)) ?? defaultPolicy(failureClass);
  }

  const one = async (db: Queryable, sql: string, values: readonly unknown[]) => {
    const { rows } = await db.query<EscalationRow>(sql, [...values]);
    return rows[0] ? escalationOf(rows[0]) : null;
  };

  return {
    takeReports: (limit, leaseMs) => takeReports(pool, limit, leaseMs),

    openByKey: (tenant, key) =>
      one(pool, `select * from sluice.escalation where tenant = $1 and dedup_key = $2 and status <> 'RESOLVED'`, [
        tenant,
        key,
      ]),

    open: ({ id, report, title, failureClass, rule, confidence, policy, state, effects, evidence }) =>
      withTransaction(pool, async (client) => {
        const { tenant, pipeline, target } = report;
        if (!(await lockReport(client, report.id))) return false;
        const columns = columnsOf(state);
        const { rowCount } = await client.query(
          `insert into sluice.escalation (id, tenant, dedup_key, title, failure_class, rule, confidence, owner, job_id,
             pipeline, target, policy_id, policy_version, status, state, due_at, agents, evidence_hash)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
           on conflict (tenant, dedup_key) where status <> 'RESOLVED' do nothing`,
          [
            id,
            tenant,
            dedupKey(failureClass, pipeline, target),
            title,
            failureClass,
            rule,
            confidence,
            report.owner,
            report.jobId,
            pipeline,
            target,
            policy.id,
            policy.version,
            columns.status,
            JSON.stringify(columns.state),
            columns.due_at,
            concerned(state, effects),
            evidence.hash,
          ],
        );
        if (rowCount === 0) return false;
        await client.query(
          'insert into sluice.evidence (tenant, hash, bundle) values ($1, $2, $3) on conflict do nothing',
          [tenant, evidence.hash, JSON.stringify(evidence.bundle)],
        );
        await endReport(client, report.id, id);
        await storeNotifications(client, { tenant, id, effects });
        const data = {
          policyId: policy.id,
          policyVersion: policy.version,
          rule,
          confidence,
          code: report.code,
          step: state.step,
          round: state.round,
          nextDueAt: state.dueAt,
          asked: state.asked,
          evidence: evidence.hash,
        };
        const actor = { JOB: 'job', MONITOR: 'monitor', PERSON: 'person' }[report.source];
        await appendToLog(client, tenant, [
          { escalationId: id, kind: 'OPEN', actor, agents: notifiedBy(effects), status: state.status, data },
        ]);
        return true;
      }),

    occurred: (escalation, report) =>
      withTransaction(pool, async (client) => {
        if (!(await lockReport(client, report.id))) return false;
        const open = await one(
          client,
          `update sluice.escalation set occurrences = occurrences + 1, last_occurred_at = statement_timestamp()
           where id = $1 and status not in ('DECIDED', 'RESOLVED') returning *`,
          [escalation.id],
        );
        if (open === null) return false;
        await endReport(client, report.id, escalation.id);
        await appendToLog(client, escalation.tenant, [
          {
            escalationId: escalation.id,
            kind: 'OCCURRED',
            actor: 'job',
            agents: [],
            status: open.state.status,
            data: { report: report.id, jobId: report.jobId, code: report.code, occurrences: open.occurrences },
          },
        ]);
        return true;
      }),

    reportDone: (reportId) => endReport(pool, reportId, null),

    due: (limit, decide) =>
      withTransaction(pool, async (client) => {
        const { rows } = await client.query<EscalationRow & { now: Date }>(
          `select *, statement_timestamp() as now from sluice.escalation
           where due_at <= statement_timestamp() and status <> 'RESOLVED'
           order by due_at limit $1 for update skip locked`,
          [limit],
        );
        const changes = [];
        for (const row of rows) changes.push(decide(escalationOf(row), await policyOf(client, row), row.now));
        if (changes.length === 0) return 0;
        await storeChanges(client, changes);
        await appendByTenant(
          client,
          changes.map((change) => ({ tenant: change.escalation.tenant, ...logEntryFor(change) })),
        );
        return changes.length;
      }),

    async nextDueMs() {
      const { rows } = await pool.query<{ ms: number | null }>(
        `select (extract(epoch from min(due_at) - statement_timestamp()) * 1000)::float8 as ms
         from sluice.escalation where due_at is not null and status <> 'RESOLVED'`,
      );
      return rows[0]?.ms ?? null;
    },

    async decided(limit) {
      const { rows } = await pool.query<EscalationRow>(
        `select * from sluice.escalation where status = 'DECIDED' order by opened_at, id limit $1`,
        [limit],
      );
      return rows.map(escalationOf);
    },

    heldJobs: (tenant, escalationId) => heldJobs(pool, tenant, escalationId),

    async pausesLeft(limit) {
      const { rows } = await pool.query<{ tenant: string; target: string; escalation_id: string }>(
        `select pause.tenant, pause.target, pause.escalation_id from sluice.target_pause as pause
         join sluice.escalation on escalation.id = pause.escalation_id
         where escalation.status = 'RESOLVED' order by pause.paused_at limit $1`,
        [limit],
      );
      return rows.map(({ tenant, target, escalation_id }) => ({ tenant, target, escalationId: escalation_id }));
    },

    change: (change) =>
      withTransaction(pool, async (client) => {
        const { escalation, event } = change;
        if (CLOSES_WITHOUT_VERDICT.has(event.kind)) await refuseToLeaveJobs(client, escalation);
        const stored = await storeChange(client, change).catch(refuseSecondOpen);
        if (stored) await appendToLog(client, stored.tenant, [logEntryFor(change)]);
        return stored;
      }),

    note: ({ id, tenant, state }, kind, actor, data) =>
      withTransaction(pool, (client) =>
        appendToLog(client, tenant, [{ escalationId: id, kind, actor, agents: [], status: state.status, data }]),
      ),

    get: (tenant, id) => one(pool, 'select * from sluice.escalation where tenant = $1 and id = $2', [tenant, id]),

    async byJob(tenant, jobId) {
      const { rows } = await pool.query<EscalationRow>(
        `select * from sluice.escalation where tenant = $1 and (job_id = $2 or id in (
           select escalation_id from sluice.failure_report where job_id = $2 and escalation_id is not null))
         order by status = 'RESOLVED', opened_at desc, id desc`,
        [tenant, jobId],
      );
      return rows.map(escalationOf);
    },

    list: (tenant, filter, page) => listEscalations(pool, tenant, filter, page),

    async evidence(tenant, hash) {
      const { rows } = await pool.query<{ bundle: Record<string, unknown> }>(
        'select bundle from sluice.evidence where tenant = $1 and hash = $2',
        [tenant, hash],
      );
      return rows[0] ? { hash, bundle: rows[0].bundle } : null;
    },

    async similar(tenant, failureClass, pipeline, limit) {
      const { rows } = await pool.query<{ id: string; verdict: VerdictKind }>(
        `select id, state -> 'verdict' ->> 'kind' as verdict from sluice.escalation
         where tenant = $1 and failure_class = $2 and pipeline = $3 and status = 'RESOLVED'
           and state -> 'verdict' ->> 'kind' is not null
         order by resolved_at desc limit $4`,
        [tenant, failureClass, pipeline, limit],
      );
      // A verdict that could not act does not resolve what it was about.
      return rows.map(({ id, verdict }) => ({ id, verdict, outcome: 'APPLIED' }));
    },

    async now() {
      const { rows } = await pool.query<{ now: Date }>('select statement_timestamp() as now');
      if (!rows[0]) throw new Error('the database does not tell the time');
      return rows[0].now;
    },
  };
}

/** Reopening one while another of the same key is open would make two. */
function refuseSecondOpen(error: unknown): never {
  if (error instanceof Error && 'constraint' in error && error.constraint === 'escalation_open') {
    throw new SluiceError(
      'ESCALATION_CLOSED',
      'The same failure has another escalation that is open; act on that one.',
      {
        cause: error,
      },
    );
  }
  throw error;
}
