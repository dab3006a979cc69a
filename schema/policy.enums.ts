import type { CatchUp, ChannelName, EndAction, OnEmpty, Role } from '../escalation/policy.js';
import { describedEnum } from './described-enum.js';

export const EscalationRoleEnum = describedEnum<Role>(
  'EscalationRole',
  'Who is meant, seen from the owner of what failed and found through the org chart.',
  {
    PEER: 'The layer beside the owner.',
    DOMAIN: 'The domain that the owner works for.',
    CHIEF: "The chief of the owner's division.",
    CEO: 'The one on top.',
  },
);

export const NotificationChannelEnum = describedEnum<ChannelName>(
  'NotificationChannel',
  'How an agent can be reached.',
  {
    FEED: 'The subscription `escalationEvents`; it always works.',
    WEBHOOK: "A signed POST to the agent's URL.",
    EMAIL: "A mail to the agent's address.",
    LOG: 'A line in the log of the service.',
  },
);

export const OnEmptyEnum = describedEnum<OnEmpty>(
  'OnEmpty',
  'What a step does when nobody stands behind its targets, as for a layer without a domain.',
  {
    SKIP: 'The next step, at once.',
    WAIT: 'The next step, after its wait.',
    HOLD: 'Nothing more happens until somebody acts.',
  },
);

export const EndActionEnum = describedEnum<EndAction>('EndAction', 'What happens when everybody stayed silent.', {
  HOLD: 'The job stays held and its target paused.',
  ABORT: 'The job fails for good.',
  RETRY: 'The job is run again from the beginning.',
});

export const CatchUpEnum = describedEnum<CatchUp>(
  'CatchUp',
  'Which step is asked when several fell due while no escalator ran. One is asked, once; those before it are not.',
  {
    NEXT_STEP: 'The one after the last that was asked, with its full wait from now.',
    SKIP_TO_CURRENT: 'The one that would be asked by now; the last one rather than the end action.',
  },
);
