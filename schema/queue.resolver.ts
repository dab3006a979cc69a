import { Arg, Ctx, Field, InputType, Mutation, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import { JOB_STATES } from '../src/jobs/job.js';
import { levelOf, utilisation } from '../src/jobs/monitors/rules.js';
import type { QueueStats } from '../src/jobs/queue/queue-stats.js';
import type { GraphqlContext } from './context.js';
import { leavableStream } from './leavable-stream.js';
import { QueueStatsType } from './queue.types.js';
import { answering, UserErrorType } from './user-error.types.js';

@InputType('PauseQueueInput', { description: 'Why the queue is paused.' })
class PauseQueueInput {
  @Field(() => String, { nullable: true, description: 'For those who find it paused; at most 500 characters.' })
  reason?: string | null;
}

@InputType('ResumeQueueInput', { description: 'Why the queue is resumed.' })
class ResumeQueueInput {
  @Field(() => String, { nullable: true, description: 'For the log of the server; at most 500 characters.' })
  reason?: string | null;
}

/** What stopping and starting the queue answers. */
@ObjectType()
class SteeredQueuePayload {
  @Field(() => QueueStatsType, { nullable: true, description: 'The queue; null when the input has mistakes.' })
  queue!: QueueStatsType | null;

  @Field(() => [UserErrorType], { description: 'Mistakes in the input; empty when it was done.' })
  userErrors!: UserErrorType[];
}

@ObjectType('PauseQueuePayload', { description: 'Answer of `pauseQueue`.' })
class PauseQueuePayload extends SteeredQueuePayload {}

@ObjectType('ResumeQueuePayload', { description: 'Answer of `resumeQueue`.' })
class ResumeQueuePayload extends SteeredQueuePayload {}

function answerOf({ counts, workers, ...rest }: QueueStats): QueueStatsType {
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  const busySlots = workers.reduce((sum, worker) => sum + worker.busy, 0);
  const percent = utilisation({ slots, busySlots });
  return {
    ...rest,
    counts: JOB_STATES.map((state) => ({ state, count: counts[state] })),
    workers: [...workers],
    utilisation: percent,
    utilisationLevel: percent === null ? null : levelOf(percent),
  };
}

const NONE: { readonly queue: QueueStatsType | null } = { queue: null };

@Resolver()
export class QueueResolver {
  @Query(() => QueueStatsType, { description: 'How the queue of the tenant stands.' })
  async queueStats(@Ctx() { queues, caller }: GraphqlContext): Promise<QueueStatsType> {
    return answerOf(await queues.stats(caller));
  }

  @Mutation(() => PauseQueuePayload, {
    description:
      'Workers begin no job of the tenant from now on, until `resumeQueue`; restarts do not change that. What runs goes on to its end, and jobs can be launched; those that are tried again, taken over or resumed wait as well. Pausing a paused queue changes nothing, not even its reason.',
  })
  pauseQueue(
    @Ctx() { queues, caller }: GraphqlContext,
    @Arg('input', () => PauseQueueInput, { description: 'Why.' }) { reason }: PauseQueueInput,
  ): Promise<PauseQueuePayload> {
    return answering(NONE, async () => ({ queue: answerOf(await queues.pause(caller, reason ?? null)) }));
  }

  @Mutation(() => ResumeQueuePayload, {
    description: 'Workers begin jobs of the tenant again. Resuming a queue that is not paused changes nothing.',
  })
  resumeQueue(
    @Ctx() { queues, caller }: GraphqlContext,
    @Arg('input', () => ResumeQueueInput, { description: 'Why.' }) { reason }: ResumeQueueInput,
  ): Promise<ResumeQueuePayload> {
    return answering(NONE, async () => ({ queue: answerOf(await queues.resume(caller, reason ?? null)) }));
  }

  @Subscription(() => QueueStatsType, {
    description:
      'How the queue stands now, then whenever it stands otherwise. Changes within half a second are told as one, and a slow reader gets the latest. Never ends by itself.',
    subscribe: ({ context }: { readonly context: GraphqlContext }) =>
      leavableStream((signal) => context.queues.watch(context.caller, signal)),
  })
  queueFeed(@Root() stats: QueueStats): QueueStatsType {
    return answerOf(stats);
  }
}
