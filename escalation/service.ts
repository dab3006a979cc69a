import type { FailureClass } from '../src/core/failure-class.js';
import type { Escalation, EscalationStatus } from './escalation.js';
import type { Agent } from './org-chart.js';
import type { Policy } from './policy.js';
import type { AgentContact, EscalationFilter, EscalationPage, Evidence, LogEntry } from './ports.js';
import type { VerdictKind } from './verdict.js';

/** Who calls: the tenant of the token, and the agent that it stands for. */
export interface Caller {
  readonly tenant: string;
  readonly agent: string;
}

/** A write names the version of the escalation that its author has seen. */
export interface Seen {
  readonly id: string;
  readonly expectedVersion: number;
}

/** What a write answers: the escalation after it, or what it is now when somebody else was first. */
export type Written =
  | { readonly kind: 'DONE'; readonly escalation: Escalation }
  | { readonly kind: 'CONFLICT'; readonly current: Escalation };

/** One line of a simulated ladder; times are milliseconds after the failure. */
export interface SimulatedEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly status: EscalationStatus;
  readonly step: number;
  readonly round: number;
  /** Who did it; for what comes by itself, who is asked or told. */
  readonly agents: readonly string[];
  readonly description: string;
}

export interface Simulation {
  readonly events: readonly SimulatedEvent[];
  /** Worst case until the CEO is asked; null when the policy never asks the CEO. */
  readonly ceoAfterMs: number | null;
  /** Worst case until the end action. */
  readonly endAfterMs: number;
}

export interface SimulateInput {
  readonly owner: string;
  /** A stored policy, or one to try out. */
  readonly policy: { readonly id: string } | { readonly draft: unknown };
  /** What agents do, e.g. acknowledge 5 min after they are asked; silence otherwise. */
  readonly behaviour: readonly {
    readonly agent: string;
    readonly does: 'ACKNOWLEDGE' | 'CLAIM' | 'DECLINE' | 'DECIDE';
    readonly afterMs: number;
    readonly verdict?: VerdictKind;
  }[];
}

/**
 * Everything that agents, people and the API do with escalations. Writes throw SluiceError ESCALATION_NOT_FOUND,
 * ESCALATION_CLOSED, NOT_ASKED (somebody else holds the claim), VERDICT_NOT_ALLOWED, UNKNOWN_AGENT, INVALID_INPUT.
 */
export interface EscalationService {
  acknowledge(caller: Caller, seen: Seen): Promise<Written>;
  /** @param forMs default 15 min, at most 4 h */
  claim(caller: Caller, seen: Seen, forMs: number | null): Promise<Written>;
  renewClaim(caller: Caller, seen: Seen, forMs: number | null): Promise<Written>;
  releaseClaim(caller: Caller, seen: Seen): Promise<Written>;
  decline(caller: Caller, seen: Seen, comment: string | null): Promise<Written>;
  submitVerdict(
    caller: Caller,
    seen: Seen,
    verdict: { readonly kind: VerdictKind; readonly patch: object | null; readonly comment: string | null },
  ): Promise<Written>;
  escalate(caller: Caller, seen: Seen, comment: string | null): Promise<Written>;
  snooze(caller: Caller, seen: Seen, until: Date): Promise<Written>;
  reassign(caller: Caller, seen: Seen, to: string): Promise<Written>;
  comment(caller: Caller, id: string, text: string): Promise<Escalation>;
  /** Closes it without a verdict. @throws SluiceError JOBS_HELD while jobs wait for its decision */
  resolve(caller: Caller, seen: Seen, comment: string | null): Promise<Written>;
  reopen(caller: Caller, seen: Seen): Promise<Written>;
  /** Opens one by hand. @returns its id once an escalator has taken it up, or the open one of the same key */
  open(
    caller: Caller,
    input: {
      readonly failureClass: FailureClass;
      readonly pipeline: string;
      readonly target: string | null;
      readonly owner: string;
      readonly message: string;
      readonly jobId: string | null;
    },
  ): Promise<Escalation>;
  redeliver(caller: Caller, id: string): Promise<number>;

  get(tenant: string, id: string): Promise<Escalation | null>;
  list(
    tenant: string,
    filter: EscalationFilter,
    page: { readonly first: number; readonly after: string | null },
  ): Promise<EscalationPage>;
  byJob(tenant: string, jobId: string): Promise<readonly Escalation[]>;
  evidence(tenant: string, escalation: Escalation): Promise<Evidence | null>;
  log(tenant: string, escalationId: string): Promise<readonly LogEntry[]>;
  /** Log rows from `afterSeq` on, for as long as the signal does not abort; the feed behind `escalationEvents`. */
  watch(
    tenant: string,
    filter: { readonly agent?: string; readonly escalationId?: string },
    afterSeq: number | null,
    signal: AbortSignal,
  ): AsyncIterable<LogEntry>;
  verifyLog(tenant: string): Promise<{ readonly seq: number; readonly problem: string } | null>;
  /** `seq` of the newest log row; 0 when there is none. */
  lastLogSeq(tenant: string): Promise<number>;

  policies(tenant: string): Promise<readonly Policy[]>;
  /** A certain version, such as the one that an escalation is pinned to. */
  policy(tenant: string, id: string, version: number): Promise<Policy | null>;
  /** @throws UserErrors UNKNOWN_AGENT, POLICY_INVALID with paths */
  savePolicy(
    caller: Caller,
    draft: unknown,
    expectedVersion: number,
  ): Promise<
    { readonly kind: 'DONE'; readonly policy: Policy } | { readonly kind: 'CONFLICT'; readonly current: Policy }
  >;
  simulate(tenant: string, input: SimulateInput): Promise<Simulation>;

  agents(): readonly Agent[];
  contacts(tenant: string): Promise<readonly AgentContact[]>;
  saveContact(
    caller: Caller,
    contact: Pick<AgentContact, 'agent' | 'channel' | 'address' | 'isEnabled'>,
    secret: string | null,
  ): Promise<AgentContact>;
}
