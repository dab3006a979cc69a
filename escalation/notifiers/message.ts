import type { EscalationStatus } from '../escalation.js';
import type { Notification, PolicyStore } from '../ports.js';
import type { VerdictKind } from '../verdict.js';

/** What an agent is sent: enough to decide whether to look, and the ids to act with through the API. */
export interface NotificationMessage {
  /** `asked` wants an acknowledgement or a verdict, `told` does not. */
  readonly type: 'escalation.asked' | 'escalation.told';
  /** When the agent was to hear of it; the same in every try. */
  readonly timestamp: string;
  readonly data: {
    /** The same in every try: what was seen before can be dropped. */
    readonly notificationId: string;
    readonly agent: string;
    readonly escalationId: string;
    /** `expectedVersion` of a write, unless somebody else is first. */
    readonly version: number;
    readonly status: EscalationStatus;
    readonly title: string;
    readonly failureClass: string;
    /** Who answers for what failed. */
    readonly owner: string;
    readonly jobId: string | null;
    readonly pipeline: string;
    readonly target: string | null;
    /** Of the policy's ladder, from 0. */
    readonly step: number;
    readonly round: number;
    /** When the escalation moves on by itself. */
    readonly dueAt: string | null;
    readonly allowedVerdicts: readonly VerdictKind[];
    readonly occurrences: number;
    readonly evidenceHash: string;
    /** Where the GraphQL API is, when the server knows. */
    readonly apiUrl: string | null;
  };
}

export interface MessageContext {
  readonly policies: Pick<PolicyStore, 'get'>;
  readonly apiUrl: string | null;
}

/** A verdict that failed so often at a step cannot be chosen there again. */
const MOST_FAILURES = 2;

export async function messageOf(
  notification: Notification,
  { policies, apiUrl }: MessageContext,
): Promise<NotificationMessage> {
  const { escalation, step, round } = notification;
  const { state } = escalation;
  const policy = await policies.get(notification.tenant, escalation.policyId, escalation.policyVersion);
  const allowed = policy?.steps[step]?.allowedVerdicts ?? [];
  return {
    type: notification.purpose === 'ASK' ? 'escalation.asked' : 'escalation.told',
    timestamp: notification.createdAt.toISOString(),
    data: {
      notificationId: notification.id,
      agent: notification.agent,
      escalationId: escalation.id,
      version: escalation.version,
      status: state.status,
      title: escalation.title,
      failureClass: escalation.failureClass,
      owner: escalation.owner,
      jobId: escalation.jobId,
      pipeline: escalation.pipeline,
      target: escalation.target,
      step,
      round,
      dueAt: state.dueAt?.toISOString() ?? null,
      allowedVerdicts: allowed.filter((kind) => (state.failures[`${step}:${kind}`] ?? 0) < MOST_FAILURES),
      occurrences: escalation.occurrences,
      evidenceHash: escalation.evidenceHash,
      apiUrl,
    },
  };
}
