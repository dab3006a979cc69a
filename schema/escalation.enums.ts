import type { EscalationStatus } from '../escalation/escalation.js';
import type { SimulateInput } from '../escalation/service.js';
import type { VerdictKind } from '../escalation/verdict.js';
import { describedEnum } from './described-enum.js';

export const EscalationStatusEnum = describedEnum<EscalationStatus>('EscalationStatus', 'Where an escalation stands.', {
  ASKING: 'The agents of the step have until `dueAt` to acknowledge or decide.',
  ACKNOWLEDGED: 'One of them is on it and has until `dueAt`.',
  CLAIMED: 'One of them alone may decide until `dueAt`; `renewClaim` moves it.',
  SNOOZED: 'Quiet until `dueAt`; then the same step is asked again.',
  DECIDED: 'A verdict is accepted and acts on the job.',
  HELD: 'Everybody stayed silent, or the step holds; a verdict is still taken.',
  RESOLVED: 'Over; `reopenEscalation` opens it again.',
});

export const VerdictKindEnum = describedEnum<VerdictKind>(
  'VerdictKind',
  'What an agent can decide about a failed job. Each verdict acts on the job exactly once.',
  {
    RETRY: 'Run it from the beginning, with a new set of attempts.',
    RESUME: 'Go on behind the last committed part; from the beginning when there is none.',
    SKIP_ROWS: 'Run it again without the rows that failed: they count as quarantined, whatever the error budget.',
    QUARANTINE_AND_CONTINUE: 'Run it again with every failed expectation turned into quarantine and no error budget.',
    PATCH_SPEC: 'Run it again with a corrected spec: `patch` is a JSON merge patch (RFC 7396) of it.',
    PAUSE_TARGET: 'Loads into the target wait until the escalation is resolved; the job itself stays held.',
    ABORT: 'The job fails for good.',
  },
);

export const AgentActEnum = describedEnum<SimulateInput['behaviour'][number]['does']>(
  'AgentAct',
  'What an agent of a simulation does when it is asked.',
  {
    ACKNOWLEDGE: 'Says that it is on it.',
    CLAIM: 'Takes it for itself alone.',
    DECLINE: 'Hands it on at once.',
    DECIDE: 'Submits `verdict`.',
  },
);
