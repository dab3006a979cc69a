import type { VerdictKind } from '../../../escalation/verdict.js';

/** What does not change a spec. */
const VERDICTS: readonly VerdictKind[] = ['RETRY', 'RESUME', 'ABORT', 'PAUSE_TARGET'];

const step = (ask: readonly string[], waitMs: number, more: object = {}) => ({
  ask: ask.map((role) => ({ role })),
  waitMs,
  // No other one could stand in for it: what is not delivered by webhook is not delivered.
  channels: ['WEBHOOK'],
  allowedVerdicts: VERDICTS,
  ...more,
});

const policy = (id: string, failureClass: string, steps: readonly object[], more: object) => ({
  id,
  failureClass,
  steps,
  ackTimeoutMs: 1_000,
  groupWindowMs: 1_000,
  ...more,
});

/**
 * Drafts of one policy for each class, with the shortest waits that a policy may have: every rule of the ladder is in
 * one of them.
 * @param at when the run begins; there is maintenance a little later
 */
export const shortPolicies = (at: Date): readonly object[] => [
  policy('pipeline-decision', 'PIPELINE_DECISION', [step(['CHIEF'], 1_200), step(['CEO'], 1_000)], {
    endAction: 'RETRY',
  }),
  policy('queue-performance', 'QUEUE_PERFORMANCE', [step(['DOMAIN'], 1_000), step(['CHIEF', 'CEO'], 1_500)], {
    repeat: 1,
    maintenance: [{ from: new Date(at.getTime() + 5_000), to: new Date(at.getTime() + 6_500) }],
  }),
  policy(
    'workflow-integration',
    'WORKFLOW_INTEGRATION',
    [step(['PEER'], 1_000), step(['DOMAIN'], 1_100), step(['CHIEF'], 1_000), step(['CEO'], 1_300)],
    { endAction: 'ABORT' },
  ),
  policy('critical-failure', 'CRITICAL_FAILURE', [step(['CEO'], 1_000, { tell: [{ role: 'CHIEF' }] })], {
    repeat: 3,
  }),
  policy(
    'data-corruption',
    'DATA_CORRUPTION',
    [step(['CEO', 'CHIEF'], 1_500, { quorum: 2 }), step(['PEER'], 1_000, { onEmpty: 'HOLD' })],
    { autoResolve: false },
  ),
];
