import { operation, USER_ERRORS, type UserError } from './operations.js';

export interface Queue {
  readonly counts: readonly { readonly state: string; readonly count: number }[];
  readonly oldestQueuedAt: string | null;
  readonly pause: { readonly since: string; readonly by: string; readonly reason: string | null } | null;
  readonly workers: readonly {
    readonly id: string;
    readonly slots: number;
    readonly busy: number;
    readonly seenAt: string;
  }[];
  readonly utilisation: number | null;
  readonly utilisationLevel: string | null;
}

interface QueueSteered {
  readonly steered: { readonly queue: Queue | null; readonly userErrors: readonly UserError[] };
}

interface Why {
  readonly reason: string | null;
}

const QUEUE = `{ counts { state count } oldestQueuedAt pause { since by reason } workers { id slots busy seenAt }
  utilisation utilisationLevel }`;
const STEERED = `{ queue ${QUEUE} ${USER_ERRORS} }`;

export const QUEUE_STATS = operation<{ readonly queueStats: Queue }, Record<string, never>>(
  `query QueueStats { queueStats ${QUEUE} }`,
);
export const PAUSE_QUEUE = operation<QueueSteered, { readonly input: Why }>(
  `mutation PauseQueue($input: PauseQueueInput!) { steered: pauseQueue(input: $input) ${STEERED} }`,
);
export const RESUME_QUEUE = operation<QueueSteered, { readonly input: Why }>(
  `mutation ResumeQueue($input: ResumeQueueInput!) { steered: resumeQueue(input: $input) ${STEERED} }`,
);
