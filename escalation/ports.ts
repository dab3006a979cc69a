import type { FailureClass } from '../src/core/failure-class.js';
import type { Effect, Escalation, EscalationEvent, EscalationState, EscalationStatus } from './escalation.js';
import type { FailureReport } from './failure-report.js';
import type { ChannelName, Policy } from './policy.js';
import type { Verdict, VerdictKind, VerdictOutcome } from './verdict.js';

/** Why something was done to an escalation: kept in the log, and answered when somebody asks. */
export interface Cause {
  /** Who or what: an agent id, `engine`, `job`, `monitor`. */
  readonly actor: string;
  /** When it was due, for what happens by itself. */
  readonly dueAt: Date | null;
  readonly comment: string | null;
}

/** A change as the state table decided it; stored with its effects and its log row, or not at all. */
export interface Change {
  readonly escalation: Escalation;
  readonly event: EscalationEvent;
  readonly next: EscalationState;
  readonly effects: readonly Effect[];
  readonly cause: Cause;
}

export interface NewEscalation {
  readonly id: string;
  readonly report: FailureReport;
  readonly title: string;
  readonly failureClass: FailureClass;
  readonly rule: string;
  readonly confidence: number;
  readonly policy: Policy;
  readonly state: EscalationState;
  readonly effects: readonly Effect[];
  readonly evidence: Evidence;
}

/** A bundle that anybody who decides can read; the hash is of its canonical JSON. */
export interface Evidence {
  readonly hash: string;
  readonly bundle: Readonly<Record<string, unknown>>;
}

/** A row of the log: append-only, chained by hash per tenant, and what `escalationEvents` streams. */
export interface LogEntry {
  readonly tenant: string;
  /** Without gaps, 1 and up. */
  readonly seq: number;
  /** Null for rows about a policy. */
  readonly escalationId: string | null;
  readonly at: Date;
  /** Kind of the event, or OCCURRED, COMMENT, DELIVERED, UNDELIVERABLE, POLICY_SAVED. */
  readonly kind: string;
  readonly actor: string;
  /** Who is meant: the asked and told of a step. The feed's filter looks here. */
  readonly agents: readonly string[];
  /** Of the escalation after it; null for rows about a policy. */
  readonly status: EscalationStatus | null;
  /** Policy and version, rule, step, round, due and actual time, verdict, comment. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly prevHash: string;
  readonly hash: string;
}

export interface EscalationFilter {
  readonly statuses?: readonly EscalationStatus[];
  readonly failureClasses?: readonly FailureClass[];
  /** Those in which this agent is asked, told or the holder. */
  readonly agent?: string;
  readonly jobId?: string;
}

export interface EscalationPage {
  readonly items: readonly { readonly cursor: string; readonly node: Escalation }[];
  readonly hasNextPage: boolean;
  readonly totalCount: number;
}

export interface EscalationStore {
  /** Reports not yet taken up; claimed for `leaseMs` with SKIP LOCKED, oldest first. */
  takeReports(limit: number, leaseMs: number): Promise<readonly FailureReport[]>;
  /** The unresolved escalation of the key, if there is one. */
  openByKey(tenant: string, dedupKey: string): Promise<Escalation | null>;
  /**
   * Opens it, with effects, evidence, log row, and the report done, in one transaction. @returns false when another with
   * the key is open, or the report is done already
   */
  open(escalation: NewEscalation): Promise<boolean>;
  /**
   * Counts an occurrence and marks the report done, in one transaction. @returns false, with nothing done, when the
   * escalation is DECIDED or RESOLVED by now: what is decided no longer covers a further job, so the report waits; or
   * when the report is done already
   */
  occurred(escalation: Escalation, report: FailureReport): Promise<boolean>;
  reportDone(reportId: string): Promise<void>;
  /**
   * Claims unresolved escalations whose `dueAt` has passed by the database's clock, SKIP LOCKED, and stores what
   * `decide` makes of each, all in one transaction. `now` is the database's. @returns how many
   */
  due(limit: number, decide: (escalation: Escalation, policy: Policy, now: Date) => Change): Promise<number>;
  /** Milliseconds until the next is due by the database's clock; 0 or less when one is, null when none waits. */
  nextDueMs(): Promise<number | null>;
  /** DECIDED escalations whose verdict still has to act, oldest first. Several escalators may read the same one. */
  decided(limit: number): Promise<readonly Escalation[]>;
  /** Its own job and those of the reports that it took up, as far as they are AWAITING_DECISION now; oldest first. */
  heldJobs(tenant: string, escalationId: string): Promise<readonly string[]>;
  /** Paused targets whose escalation is RESOLVED: to be released. */
  pausesLeft(
    limit: number,
  ): Promise<readonly { readonly tenant: string; readonly target: string; readonly escalationId: string }[]>;
  /**
   * Stores one change. @returns the escalation as it is then, or null when its version has moved on
   * @throws SluiceError JOBS_HELD when it closes the escalation without a verdict, and no other that is open holds one
   *   of its jobs
   */
  change(change: Change): Promise<Escalation | null>;
  /** A log row without a change of state: a comment, a delivery. */
  note(escalation: Escalation, kind: string, actor: string, data: Readonly<Record<string, unknown>>): Promise<void>;
  get(tenant: string, id: string): Promise<Escalation | null>;
  /** By job: unresolved first, newest first. */
  byJob(tenant: string, jobId: string): Promise<readonly Escalation[]>;
  list(
    tenant: string,
    filter: EscalationFilter,
    page: { first: number; after: string | null },
  ): Promise<EscalationPage>;
  evidence(tenant: string, hash: string): Promise<Evidence | null>;
  /** Resolved escalations of the same class and pipeline, newest first, with the verdict that was applied. */
  similar(
    tenant: string,
    failureClass: FailureClass,
    pipeline: string,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly verdict: VerdictKind; readonly outcome: VerdictOutcome }[]>;
  now(): Promise<Date>;
}

export interface PolicyStore {
  /** The current versions. */
  list(tenant: string): Promise<readonly Policy[]>;
  get(tenant: string, id: string, version?: number): Promise<Policy | null>;
  /** The most specific current policy. Every class has a default one. */
  find(tenant: string, failureClass: FailureClass, pipeline: string): Promise<Policy>;
  /** Stores the next version and tells the log, in one transaction. @param expectedVersion 0 for a new one @returns null when it is stale */
  save(tenant: string, policy: Omit<Policy, 'version'>, expectedVersion: number, actor: string): Promise<Policy | null>;
}

export interface LogStore {
  /** Rows with seq > afterSeq in order. */
  readAfter(tenant: string, afterSeq: number, limit: number): Promise<readonly LogEntry[]>;
  ofEscalation(tenant: string, escalationId: string): Promise<readonly LogEntry[]>;
  lastSeq(tenant: string): Promise<number>;
  /** Follows the chain. @returns the first row that was changed, is missing or stands elsewhere; null when all is well */
  verify(tenant: string): Promise<{ readonly seq: number; readonly problem: string } | null>;
}

/** A way to reach an agent. Secrets never leave the store but for signing. */
export interface AgentContact {
  readonly agent: string;
  readonly channel: 'WEBHOOK' | 'EMAIL';
  /** URL or address. */
  readonly address: string;
  readonly isEnabled: boolean;
  readonly disabledReason: string | null;
  readonly updatedAt: Date;
}

export interface ContactStore {
  list(tenant: string): Promise<readonly AgentContact[]>;
  /** @returns the contact and, for a webhook, its secrets, newest first (two while one is being replaced) */
  find(
    tenant: string,
    agent: string,
    channel: AgentContact['channel'],
  ): Promise<{ readonly contact: AgentContact; readonly secrets: readonly string[] } | null>;
  /** Adds or replaces; a new secret keeps the one before until the next. */
  save(
    tenant: string,
    contact: Pick<AgentContact, 'agent' | 'channel' | 'address' | 'isEnabled'>,
    secret: string | null,
  ): Promise<AgentContact>;
  disable(tenant: string, agent: string, channel: AgentContact['channel'], reason: string): Promise<void>;
}

/** One logical notification: one per escalation, round, step and agent. Its id is the `webhook-id` of every try. */
export interface Notification {
  readonly id: string;
  readonly tenant: string;
  readonly escalation: Escalation;
  readonly agent: string;
  readonly purpose: 'ASK' | 'TELL';
  readonly round: number;
  readonly step: number;
  /** Those left to try, in order. */
  readonly channels: readonly ChannelName[];
  /** Tries on the first of them so far. */
  readonly attempt: number;
  readonly createdAt: Date;
  /** Of this claim, by the database's clock: the time that webhooks are signed with. A node's own clock may be off. */
  readonly claimedAt: Date;
}

export interface Outbox {
  /**
   * Claims due rows, fair between agents, SKIP LOCKED; an expired lease is due again. At most `perAgent` of each agent.
   * @param except agents whose rows stay: they have enough in hand, or take no more for the moment
   */
  claim(
    limit: number,
    perAgent: number,
    leaseMs: number,
    worker: string,
    except: readonly string[],
  ): Promise<readonly Notification[]>;
  /** Extends the leases that are still held, so that they can be short: a dead worker's rows are due soon. */
  renew(notifications: readonly Notification[], leaseMs: number): Promise<void>;
  /** Delivered by the channel. @returns false when the lease was lost */
  delivered(notification: Notification, channel: ChannelName): Promise<boolean>;
  /** Tried again later, on the first of `channels`. */
  retry(
    notification: Notification,
    channels: readonly ChannelName[],
    attempt: number,
    dueInMs: number,
    reason: string,
  ): Promise<boolean>;
  /** No channel is left: it waits for `redeliver`. */
  dead(notification: Notification, reason: string): Promise<boolean>;
  /** Starts dead notifications of an escalation over. @returns how many */
  redeliver(tenant: string, escalationId: string): Promise<number>;
  nextDueMs(): Promise<number | null>;
}

/** How one channel delivers. One file each. */
export interface Notifier {
  readonly channel: ChannelName;
  deliver(notification: Notification, signal: AbortSignal): Promise<Delivery>;
}

export type Delivery =
  | { readonly kind: 'DELIVERED' }
  /** The agent has no such contact, or it is disabled. */
  | { readonly kind: 'UNREACHABLE'; readonly reason: string }
  /** May work later; `afterMs` when the other side said so. */
  | { readonly kind: 'RETRY'; readonly reason: string; readonly afterMs: number | null }
  /** Not tried: the address has had enough for the moment. Costs no try. */
  | { readonly kind: 'LATER'; readonly afterMs: number }
  /** Will never work by this channel. */
  | { readonly kind: 'REFUSED'; readonly reason: string };

/** What an escalation may do to jobs; each act is stored once under the verdict's id, however often it is asked for. */
export interface JobActions {
  /** @returns the outcome, the same one when asked again. Never throws for what the job refuses: that is FAILED. */
  apply(
    tenant: string,
    jobId: string,
    verdict: Verdict,
  ): Promise<{ readonly outcome: 'APPLIED' } | { readonly outcome: 'FAILED'; readonly reason: string }>;
  /** Loads into the target wait, or go on. */
  pauseTarget(tenant: string, target: string, escalationId: string): Promise<void>;
  releaseTarget(tenant: string, target: string, escalationId: string): Promise<void>;
  /** What is known of the job, for the evidence: spec, error, counters, events, report, quarantine samples, SQL. */
  evidence(tenant: string, jobId: string): Promise<Readonly<Record<string, unknown>> | null>;
}

/** Tells other processes that something is due earlier than they think, or that the log has grown. Losing it costs a poll. */
export interface Wake {
  tell(what: WakeWord, tenant: string): Promise<void>;
  /** @param run told the tenant, or null when words to any of them may have been lost: then everybody looks */
  on(what: WakeWord, run: (tenant: string | null) => void): Promise<{ stop(): Promise<void> }>;
}

export type WakeWord = 'REPORT' | 'DUE' | 'OUTBOX' | 'LOG';
