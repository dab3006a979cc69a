import fc from 'fast-check';
import type { LadderContext } from '../../../escalation/ladder.js';
import {
  CATCH_UPS,
  CHANNELS,
  END_ACTIONS,
  ON_EMPTY,
  type PolicyStep,
  ROLES,
  type Target,
} from '../../../escalation/policy.js';
import type { SimulateInput } from '../../../escalation/service.js';
import { VERDICTS } from '../../../escalation/verdict.js';
import { aPolicy, MINUTE, minute } from './a-policy.js';

export const AGENTS = ['ann', 'ben', 'cy', 'dot', 'eve'] as const;

export const anyAgent = fc.constantFrom(...AGENTS);

/** Multiples of five minutes, so that much of it falls together, and now and then any time. */
const anySpan = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 40 }).map((fives) => fives * 5 * MINUTE) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 200 * MINUTE }) },
);

const anyTarget: fc.Arbitrary<Target> = fc.oneof(
  fc.constantFrom(...ROLES).map((role) => ({ role })),
  anyAgent.map((agent) => ({ agent })),
);

const anyStep: fc.Arbitrary<PolicyStep> = fc.record({
  ask: fc.array(anyTarget, { minLength: 1, maxLength: 3 }),
  tell: fc.array(anyTarget, { maxLength: 2 }),
  waitMs: anySpan,
  channels: fc.constant([CHANNELS[0]]),
  onEmpty: fc.constantFrom(...ON_EMPTY),
  allowedVerdicts: fc.uniqueArray(fc.constantFrom(...VERDICTS), { minLength: 1, maxLength: 3 }),
  quorum: fc.integer({ min: 1, max: 3 }),
});

const anyWindow = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 60 }))
  .map(([start, length]) => ({ from: minute(start * 5), to: minute((start + length) * 5) }));

const anyPolicy = fc
  .record({
    steps: fc.array(anyStep, { minLength: 1, maxLength: 4 }),
    repeat: fc.integer({ min: 0, max: 3 }),
    ackTimeoutMs: anySpan,
    maintenance: fc.array(anyWindow, { maxLength: 2 }),
    autoResolve: fc.boolean(),
    endAction: fc.constantFrom(...END_ACTIONS),
    catchUp: fc.constantFrom(...CATCH_UPS),
  })
  .map(aPolicy);

const anyRoster = fc.record(
  Object.fromEntries(ROLES.map((role) => [role, fc.uniqueArray(anyAgent, { maxLength: 2 })])),
);

/** A policy, and whoever stands in its roles: nobody, one or two. */
export const anyLadder: fc.Arbitrary<LadderContext> = fc.tuple(anyPolicy, anyRoster).map(([policy, roster]) => ({
  policy,
  owner: 'layer',
  lookup: (_owner, target) => ('role' in target ? (roster[target.role] ?? []) : [target.agent]),
}));

export const anyBehaviour: fc.Arbitrary<SimulateInput['behaviour']> = fc.array(
  fc.record(
    {
      agent: anyAgent,
      does: fc.constantFrom('ACKNOWLEDGE', 'CLAIM', 'DECLINE', 'DECIDE'),
      afterMs: fc.oneof(fc.constant(0), anySpan),
      verdict: fc.constantFrom(...VERDICTS),
    },
    { requiredKeys: ['agent', 'does', 'afterMs'] },
  ),
  { maxLength: 6 },
);
