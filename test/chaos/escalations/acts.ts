import type { NotificationMessage } from '../../../escalation/notifiers/message.js';
import type { OrgChart } from '../../../escalation/org-chart.js';
import type { Caller, EscalationService, Seen, Written } from '../../../escalation/service.js';
import { chosen } from '../../support/seeded.js';

/** An agent at the desk, with the escalation in the version that it has seen. */
export interface Moment {
  readonly service: EscalationService;
  readonly chart: OrgChart;
  readonly caller: Caller;
  readonly seen: Seen;
  readonly asked: NotificationMessage['data'];
  readonly random: () => number;
}

/** Everything that an agent can do, by the name that the log has for it. */
export const ACTS = {
  ACKNOWLEDGE: ({ service, caller, seen }) => service.acknowledge(caller, seen),
  CLAIM: ({ service, caller, seen, random }) => service.claim(caller, seen, 1_000 + Math.round(random() * 1_000)),
  RENEW: ({ service, caller, seen }) => service.renewClaim(caller, seen, 1_000),
  RELEASE: ({ service, caller, seen }) => service.releaseClaim(caller, seen),
  DECLINE: ({ service, caller, seen }) => service.decline(caller, seen, 'Not mine.'),
  DECIDE({ service, caller, seen, asked, random }) {
    const [first = 'RETRY', ...rest] = asked.allowedVerdicts;
    const kind = chosen([first, ...rest], random);
    return service.submitVerdict(caller, seen, { kind, patch: null, comment: null });
  },
  ESCALATE: ({ service, caller, seen }) => service.escalate(caller, seen, null),
  SNOOZE: ({ service, caller, seen, random }) =>
    service.snooze(caller, seen, new Date(Date.now() + 500 + random() * 1_000)),
  REASSIGN: ({ service, caller, seen, chart, random }) =>
    service.reassign(caller, seen, chosen(chart.agents, random).id),
  async COMMENT({ service, caller, seen }) {
    return { kind: 'DONE', escalation: await service.comment(caller, seen.id, 'Looking into it.') };
  },
  RESOLVE: ({ service, caller, seen }) => service.resolve(caller, seen, null),
  REOPEN: ({ service, caller, seen }) => service.reopen(caller, seen),
} as const satisfies Record<string, (moment: Moment) => Promise<Written>>;

export type Act = keyof typeof ACTS;

/** What agents do one after the other when they are asked, and how many in a hundred do it; the rest stays silent. */
const HABITS: readonly (readonly [percent: number, acts: readonly Act[]])[] = [
  [10, ['ACKNOWLEDGE']],
  [5, ['ACKNOWLEDGE', 'DECIDE']],
  [4, ['CLAIM']],
  [3, ['CLAIM', 'RELEASE']],
  [3, ['CLAIM', 'RENEW', 'DECIDE']],
  [6, ['DECLINE']],
  [12, ['DECIDE']],
  [4, ['ESCALATE']],
  [4, ['SNOOZE']],
  [3, ['REASSIGN']],
  [2, ['COMMENT']],
  [2, ['RESOLVE']],
  [2, ['RESOLVE', 'REOPEN']],
];

export function habitOf(random: () => number): readonly Act[] {
  let left = random() * 100;
  for (const [percent, acts] of HABITS) {
    left -= percent;
    if (left < 0) return acts;
  }
  return [];
}
