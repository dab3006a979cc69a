import type { LadderContext, RoleLookup } from '../../../escalation/ladder.js';
import type { Policy, PolicyStep } from '../../../escalation/policy.js';
import type { Verdict, VerdictKind } from '../../../escalation/verdict.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Minutes after the failure, as a date. */
export const minute = (minutes: number): Date => new Date(minutes * MINUTE);

export const aStep = (overrides: Partial<PolicyStep> = {}): PolicyStep => ({
  ask: [{ role: 'CHIEF' }],
  tell: [],
  waitMs: HOUR,
  channels: ['FEED'],
  onEmpty: 'SKIP',
  allowedVerdicts: ['RETRY', 'ABORT'],
  quorum: 1,
  ...overrides,
});

/** Domain 30 min, chief 1 h, CEO 2 h. */
export const aPolicy = (overrides: Partial<Policy> = {}): Policy => ({
  id: 'a-policy',
  version: 1,
  failureClass: 'QUEUE_PERFORMANCE',
  pipeline: null,
  steps: [
    aStep({ ask: [{ role: 'DOMAIN' }], waitMs: 30 * MINUTE }),
    aStep(),
    aStep({ ask: [{ role: 'CEO' }], waitMs: 2 * HOUR }),
  ],
  repeat: 0,
  ackTimeoutMs: 20 * MINUTE,
  groupWindowMs: HOUR,
  maintenance: [],
  autoResolve: true,
  endAction: 'HOLD',
  catchUp: 'NEXT_STEP',
  ...overrides,
});

const ROLES = { PEER: [] as string[], DOMAIN: ['domain'], CHIEF: ['chief'], CEO: ['ceo'] };

/** Everybody but `ghost` exists; there is no peer. */
export const lookup: RoleLookup = (_owner, target) => {
  if ('role' in target) return ROLES[target.role];
  return target.agent === 'ghost' ? [] : [target.agent];
};

export const aContext = (policy: Partial<Policy> = {}): LadderContext => ({
  policy: aPolicy(policy),
  owner: 'layer',
  lookup,
});

export const aVerdict = (agent: string, kind: VerdictKind = 'RETRY', overrides: Partial<Verdict> = {}): Verdict => ({
  id: '0199f3a0-0000-7000-8000-000000000000',
  kind,
  agent,
  patch: null,
  comment: null,
  ...overrides,
});
