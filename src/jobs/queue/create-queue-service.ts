import { z } from 'zod';
import type { Clock } from '../../core/clock.js';
import { SluiceError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import { TOPICS } from '../events.js';
import { parseSignal } from '../hub/parse-signal.js';
import type { EventBus, JobQueue } from '../ports.js';
import { refuseUnstorable } from '../refuse-unstorable.js';
import type { QueueService, QueueStore } from './ports.js';
import { createQueueFeed } from './queue-feed.js';

export interface QueueServiceDeps {
  readonly store: QueueStore;
  readonly queue: Pick<JobQueue, 'offer'>;
  readonly bus: Pick<EventBus, 'publish' | 'subscribe'>;
  readonly clock: Clock;
  readonly log: Log;
}

const queueSignal = z.object({ tenant: z.string() });
const LONGEST_REASON = 500;

/** @throws SluiceError INVALID_INPUT, UserErrors */
function checkedReason(reason: string | null): string | null {
  const text = reason?.trim() ?? '';
  const path = ['reason'];
  refuseUnstorable(text, path);
  if (text.length > LONGEST_REASON)
    throw new SluiceError('INVALID_INPUT', `A reason has at most ${LONGEST_REASON} characters.`, { path });
  return text === '' ? null : text;
}

/** Begins to listen; `stop` ends that. */
export async function startQueueService({ store, queue, bus, clock, log }: QueueServiceDeps) {
  const feed = createQueueFeed({ read: (tenant) => store.stats(tenant), clock, log });
  const onGap = () => feed.notice(undefined);
  const subscriptions = await Promise.all([
    // Progress within a stage moves no job from state to state.
    bus.subscribe(
      TOPICS.jobs,
      (payload) => {
        const signal = parseSignal(payload);
        if (signal && signal.stageProgress === undefined) feed.notice(signal.tenant);
      },
      onGap,
    ),
    bus.subscribe(
      TOPICS.queue,
      (payload) => {
        const signal = queueSignal.safeParse(payload);
        if (signal.success) feed.notice(signal.data.tenant);
      },
      onGap,
    ),
  ]);

  /** Whoever watches finds out a little later without it. */
  const announce = (tenant: string) =>
    bus
      .publish(TOPICS.queue, { tenant })
      .catch((error: unknown) => log.debug({ tenant, reason: String(error) }, 'a queue change was not announced'));

  const service: QueueService = {
    stats: ({ tenant }) => store.stats(tenant),
    async pause({ tenant, name }, reason) {
      const why = checkedReason(reason);
      await store.pause(tenant, name, why);
      log.info({ tenant, by: name, why }, 'the queue is paused');
      await announce(tenant);
      return store.stats(tenant);
    },
    async resume({ tenant, name }, reason) {
      const why = checkedReason(reason);
      const waiting = await store.resume(tenant);
      log.info({ tenant, by: name, why }, 'the queue is resumed');
      await announce(tenant);
      for (const { jobId, priority, lastSeq } of waiting) {
        // Without the hint the sweeper offers it a little later.
        await queue
          .offer(jobId, { priority, once: String(lastSeq) })
          .catch((error: unknown) => log.warn({ jobId, reason: String(error) }, 'a waiting job was not offered'));
      }
      return store.stats(tenant);
    },
    watch: ({ tenant }, signal) => feed.watch(tenant, signal),
  };
  return {
    service,
    async stop(): Promise<void> {
      await Promise.all(subscriptions.map((subscription) => subscription.stop()));
    },
  };
}
