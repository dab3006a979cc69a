import type { Escalation, EscalationStatus } from '../escalation.js';
import { verdictsLeft } from '../ladder.js';
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
    /** At the step where the escalation stands now, which may be further than the one that is notified of. */
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

export async function messageOf(
  notification: Notification,
  { policies, apiUrl }: MessageContext,
): Promise<NotificationMessage> {
  const { escalation, step, round } = notification;
  const { state } = escalation;
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
      allowedVerdicts: await allowedNow(escalation, policies),
      occurrences: escalation.occurrences,
      evidenceHash: escalation.evidenceHash,
      apiUrl,
    },
  };
}

async function allowedNow(
  escalation: Escalation,
  policies: MessageContext['policies'],
): Promise<readonly VerdictKind[]> {
  const { tenant, policyId, policyVersion, owner, state } = escalation;
  if (state.status === 'DECIDED' || state.status === 'RESOLVED') return [];
  const policy = await policies.get(tenant, policyId, policyVersion);
  // Nobody has to be looked up for it.
  return policy ? verdictsLeft(state, { policy, owner, lookup: () => [] }) : [];
}
