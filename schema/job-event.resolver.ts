import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql';
import type { JobEvent } from '../src/jobs/events.js';
import type { GraphqlContext } from './context.js';
import { eventPosition } from './event-position.js';
import { JobFeedFilterInput, jobFilter } from './job.inputs.js';
import { JobEventType } from './job-event.types.js';
import { LongScalar } from './scalars/long.js';

/** What type-graphql hands to `subscribe`; the arguments are already checked against the schema. */
interface Subscribing<Args> {
  readonly args: Args;
  readonly context: GraphqlContext;
}

@Resolver()
export class JobEventResolver {
  @Subscription(() => JobEventType, {
    description:
      'A snapshot of the job, then its events, until its last one. Progress is told at most every 250 ms; a state change is never left out.',
    subscribe: ({ args, context }: Subscribing<{ jobId: string; afterSeq?: number | bigint | null }>) =>
      context.watcher.watchJob(context.caller, args.jobId, eventPosition(args.afterSeq)),
  })
  jobEvents(
    @Root() event: JobEvent,
    @Arg('jobId', () => ID, { description: 'The job.' }) _jobId: string,
    @Arg('afterSeq', () => LongScalar, {
      nullable: true,
      description: 'Tell the events after this one, exclusive; 0 for all. Default: those from now on.',
    })
    _afterSeq: number | null,
  ): JobEvent {
    return event;
  }

  @Subscription(() => JobEventType, {
    description:
      'Snapshots of the matching jobs that have not ended, then the events of every matching job. Never ends by itself.',
    subscribe: ({ args, context }: Subscribing<{ filter?: JobFeedFilterInput | null }>) =>
      context.watcher.watchFeed(context.caller, jobFilter(args.filter)),
  })
  jobFeed(
    @Root() event: JobEvent,
    @Arg('filter', () => JobFeedFilterInput, { nullable: true, description: 'Which jobs. Default: all.' })
    _filter: JobFeedFilterInput | null,
  ): JobEvent {
    return event;
  }
}
