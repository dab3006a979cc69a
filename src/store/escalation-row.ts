import type { Escalation, EscalationState, EscalationStatus } from '../../escalation/escalation.js';
import type { FailureReport } from '../../escalation/failure-report.js';
import { settingsOf } from '../../escalation/job-settings.js';

/** A row of sluice.escalation. */
export interface EscalationRow {
  readonly id: string;
  readonly tenant: string;
  readonly title: string;
  readonly failure_class: Escalation['failureClass'];
  readonly rule: string;
  readonly confidence: number;
  readonly owner: string;
  readonly job_id: string | null;
  readonly pipeline: string;
  readonly target: string | null;
  readonly policy_id: string;
  readonly policy_version: number;
  readonly status: EscalationStatus;
  readonly state: StoredState;
  readonly due_at: Date | null;
  readonly occurrences: number;
  readonly evidence_hash: string;
  readonly version: number;
  readonly opened_at: Date;
  readonly last_occurred_at: Date;
  readonly resolved_at: Date | null;
}

/** What of the state has no column: plain JSON. */
type StoredState = Omit<EscalationState, 'status' | 'dueAt'>;

export const escalationOf = (row: EscalationRow): Escalation => ({
  id: row.id,
  tenant: row.tenant,
  title: row.title,
  failureClass: row.failure_class,
  rule: row.rule,
  confidence: row.confidence,
  owner: row.owner,
  jobId: row.job_id,
  pipeline: row.pipeline,
  target: row.target,
  policyId: row.policy_id,
  policyVersion: row.policy_version,
  state: { ...row.state, status: row.status, dueAt: row.due_at },
  occurrences: row.occurrences,
  evidenceHash: row.evidence_hash,
  version: row.version,
  openedAt: row.opened_at,
  lastOccurredAt: row.last_occurred_at,
  resolvedAt: row.resolved_at,
});

/** The columns that a state fills. */
export function columnsOf(state: EscalationState): {
  readonly status: EscalationStatus;
  readonly due_at: string | null;
  readonly state: StoredState;
} {
  const { status, dueAt, ...stored } = state;
  return { status, due_at: dueAt?.toISOString() ?? null, state: stored };
}

/** A row of sluice.failure_report, with what the spec of its job says. */
export interface ReportRow {
  readonly id: string;
  readonly tenant: string;
  readonly kind: FailureReport['kind'];
  readonly source: FailureReport['source'];
  readonly job_id: string | null;
  readonly pipeline: string;
  readonly target: string | null;
  readonly owner: string;
  readonly code: FailureReport['code'];
  readonly failure_class: FailureReport['failureClass'];
  readonly message: string;
  readonly details: FailureReport['details'];
  readonly at: Date;
  readonly settings: unknown;
}

export const reportOf = (row: ReportRow): FailureReport => ({
  id: row.id,
  tenant: row.tenant,
  kind: row.kind,
  source: row.source,
  jobId: row.job_id,
  pipeline: row.pipeline,
  target: row.target,
  owner: row.owner,
  code: row.code,
  failureClass: row.failure_class,
  message: row.message,
  details: row.details,
  at: row.at,
  settings: settingsOf(row.settings),
});
