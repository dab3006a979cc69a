import type { FailureClass } from '../src/core/failure-class.js';
import type { ChannelName, EndAction } from './policy.js';
import type { Verdict, VerdictKind } from './verdict.js';

/**
 * - ASKING: the agents of the step have until `dueAt`.
 * - ACKNOWLEDGED: one of them is on it and has until `dueAt`.
 * - CLAIMED: one of them alone may decide until `dueAt`, renewable.
 * - SNOOZED: quiet until `dueAt`, then the same step is asked again.
 * - DECIDED: a verdict is accepted and acts on the job.
 * - HELD: everybody stayed silent, or a step holds; a verdict is still taken.
 * - RESOLVED: over; it can be reopened.
 */
export const ESCALATION_STATUSES = [
  'ASKING',
  'ACKNOWLEDGED',
  'CLAIMED',
  'SNOOZED',
  'DECIDED',
  'HELD',
  'RESOLVED',
] as const;
export type EscalationStatus = (typeof ESCALATION_STATUSES)[number];

/** Everything that the state table reads and writes; plain JSON but for the dates. */
export interface EscalationState {
  readonly status: EscalationStatus;
  /** Index of the policy's step. */
  readonly step: number;
  /** Grows whenever somebody has to be asked anew; nobody is notified twice within one round and step. */
  readonly round: number;
  /** How often the whole ladder was climbed before; at most the policy's `repeat`. */
  readonly climb: number;
  /** Who is asked now; ids of agents. */
  readonly asked: readonly string[];
  readonly declined: readonly string[];
  /** Who acknowledged or claimed. */
  readonly holder: string | null;
  /** When something happens by itself. The next one counts from this, not from when it was noticed. */
  readonly dueAt: Date | null;
  /** Verdicts submitted at this step, for the quorum: one per agent, the last. */
  readonly votes: readonly { readonly agent: string; readonly kind: VerdictKind }[];
  /** The verdict that acts on the job, or did. */
  readonly verdict: Verdict | null;
  /** `<step>:<kind>` -> failures; what failed twice at a step cannot be chosen there again. */
  readonly failures: Readonly<Record<string, number>>;
}

/** What happens to an escalation. `at` is given to the table beside it, by the database's clock. */
export type EscalationEvent =
  | { readonly kind: 'OPEN' }
  /** `dueAt` has passed. */
  | { readonly kind: 'DUE' }
  | { readonly kind: 'ACKNOWLEDGE'; readonly agent: string }
  | { readonly kind: 'CLAIM'; readonly agent: string; readonly forMs: number }
  | { readonly kind: 'RENEW'; readonly agent: string; readonly forMs: number }
  | { readonly kind: 'RELEASE'; readonly agent: string }
  | { readonly kind: 'DECLINE'; readonly agent: string }
  | { readonly kind: 'DECIDE'; readonly verdict: Verdict }
  | { readonly kind: 'APPLIED' }
  | { readonly kind: 'FAILED'; readonly reason: string }
  | { readonly kind: 'ESCALATE'; readonly agent: string }
  | { readonly kind: 'SNOOZE'; readonly agent: string; readonly until: Date }
  | { readonly kind: 'REASSIGN'; readonly agent: string; readonly to: string }
  | { readonly kind: 'RESOLVE'; readonly agent: string }
  /** What failed works again. */
  | { readonly kind: 'RECOVER' }
  | { readonly kind: 'REOPEN'; readonly agent: string };

/** What the engine has to do, in the transaction that stores the new state. */
export type Effect =
  | {
      readonly kind: 'NOTIFY';
      readonly round: number;
      readonly step: number;
      readonly agents: readonly string[];
      readonly channels: readonly ChannelName[];
      /** ASK wants an answer, TELL does not. */
      readonly purpose: 'ASK' | 'TELL';
    }
  | { readonly kind: 'APPLY'; readonly verdict: Verdict }
  | { readonly kind: 'END'; readonly action: EndAction };

/** An escalation as everybody sees it. */
export interface Escalation {
  readonly id: string;
  readonly tenant: string;
  readonly title: string;
  readonly failureClass: FailureClass;
  /** Name of the rule that classified it, and how sure it is, 0 to 1. */
  readonly rule: string;
  readonly confidence: number;
  /** Agent id of the layer that answers for what failed. */
  readonly owner: string;
  /** The held job; null for escalations of monitors and people. */
  readonly jobId: string | null;
  readonly pipeline: string;
  readonly target: string | null;
  readonly policyId: string;
  readonly policyVersion: number;
  readonly state: EscalationState;
  readonly occurrences: number;
  /** Content address of the evidence bundle. */
  readonly evidenceHash: string;
  /** Grows with every change; writes name the one they have seen. */
  readonly version: number;
  readonly openedAt: Date;
  readonly lastOccurredAt: Date;
  readonly resolvedAt: Date | null;
}
