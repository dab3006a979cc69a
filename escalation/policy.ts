import type { FailureClass } from '../src/core/failure-class.js';
import type { VerdictKind } from './verdict.js';

/** Roles of the rule book, found for an owner through the org chart. */
export const ROLES = ['PEER', 'DOMAIN', 'CHIEF', 'CEO'] as const;
export type Role = (typeof ROLES)[number];

/** Somebody by role, seen from the owner, or by name. */
export type Target = { readonly role: Role } | { readonly agent: string };

/** How an agent can be reached; the first that works is enough. FEED is the GraphQL subscription, which always works. */
export const CHANNELS = ['FEED', 'WEBHOOK', 'EMAIL', 'LOG'] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** When nobody stands behind a step's targets: go on at once, wait the step out, or stay until somebody acts. */
export const ON_EMPTY = ['SKIP', 'WAIT', 'HOLD'] as const;
export type OnEmpty = (typeof ON_EMPTY)[number];

/** When everybody stayed silent. HOLD keeps the job held and the target paused. */
export const END_ACTIONS = ['HOLD', 'ABORT', 'RETRY'] as const;
export type EndAction = (typeof END_ACTIONS)[number];

/**
 * What happens to steps that fell due while no engine ran. Neither is a burst: one step is asked, once.
 * NEXT_STEP: the one after the last asked, with its full wait from now.
 * SKIP_TO_CURRENT: the one that would be asked now; nobody is passed over for the end action.
 */
export const CATCH_UPS = ['NEXT_STEP', 'SKIP_TO_CURRENT'] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

export interface PolicyStep {
  /** Who is asked, all at once. At least one. */
  readonly ask: readonly Target[];
  /** Who is told beside them and owes no answer. */
  readonly tell: readonly Target[];
  /** How long they have to acknowledge or decide before the next step. 1 s to 30 days. */
  readonly waitMs: number;
  /** Tried in this order until one has delivered. */
  readonly channels: readonly ChannelName[];
  readonly onEmpty: OnEmpty;
  readonly allowedVerdicts: readonly VerdictKind[];
  /** Agents who have to submit the same verdict before it counts. */
  readonly quorum: number;
}

/** Nothing is asked between two times; due steps wait for its end. Failures of the same kind are still recorded. */
export interface MaintenanceWindow {
  readonly from: Date;
  readonly to: Date;
}

export interface Policy {
  /** Name, unique per tenant, e.g. `pipeline-decision`. */
  readonly id: string;
  /** Grows by one with every save; an open escalation keeps the version it began with. */
  readonly version: number;
  readonly failureClass: FailureClass;
  /** Only for jobs of this name; null for all. The more specific policy wins. */
  readonly pipeline: string | null;
  readonly steps: readonly PolicyStep[];
  /** Times the whole ladder is climbed again after the first. */
  readonly repeat: number;
  /** Acknowledged or claimed, and silent for so long: the next step. */
  readonly ackTimeoutMs: number;
  /** The same failure within this time of the last one is an occurrence of the open escalation. */
  readonly groupWindowMs: number;
  readonly maintenance: readonly MaintenanceWindow[];
  /** Whether the escalation closes by itself when what failed recovers. */
  readonly autoResolve: boolean;
  readonly endAction: EndAction;
  readonly catchUp: CatchUp;
}

/** What decides that two failures are the same. */
export const dedupKey = (failureClass: FailureClass, pipeline: string, target: string | null): string =>
  JSON.stringify([failureClass, pipeline, target]);
