import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { SluiceError } from '../src/core/errors.js';
import { shapeOf } from '../src/jobs/dead-letters/fingerprint.js';
import type { DeadLetter, DeadLetterGroup, RedriveRequest } from '../src/jobs/dead-letters/ports.js';
import type { Job } from '../src/jobs/job.js';
import type { GraphqlContext } from './context.js';
import {
  DeadLetterFilterInput,
  DiscardDeadLettersInput,
  deadLetterChoice,
  deadLetterFilter,
  RedriveDeadLettersInput,
} from './dead-letter.inputs.js';
import {
  DeadLetterConnectionType,
  DeadLetterGroupType,
  type DeadLetterType,
  DiscardDeadLettersPayload,
  JobDiscardType,
  JobRedriveType,
  RedriveDeadLettersPayload,
} from './dead-letter.types.js';
import { JobType } from './job.types.js';
import { connectionOf, pageRequest } from './page.types.js';
import { answering } from './user-error.types.js';

const NONE = { taken: 0, refusedCount: 0, refused: [], remaining: 0 };

const letterOf = ({ job, ...letter }: DeadLetter): DeadLetterType => ({
  ...letter,
  job,
  // Whoever marks a job as dead sets it.
  diedAt: job.finishedAt ?? job.createdAt,
});

function groupOf(group: DeadLetterGroup): DeadLetterGroupType {
  const { error } = group.sample;
  return {
    ...group,
    code: error?.code ?? null,
    failureClass: error?.failureClass ?? null,
    message: error && shapeOf(error.message),
  };
}

function requestOf({ all, ratePerSecond, idempotencyKey, ...choice }: RedriveDeadLettersInput): RedriveRequest {
  return {
    ...deadLetterChoice(choice),
    ...(all && { all }),
    ...(typeof ratePerSecond === 'number' && { ratePerSecond }),
    ...(typeof idempotencyKey === 'string' && { idempotencyKey }),
  };
}

@Resolver(() => JobType)
export class DeadLetterResolver {
  @Query(() => DeadLetterConnectionType, { description: 'Jobs that nobody runs again by itself, newest death first.' })
  async deadLetters(
    @Ctx() { deadLetters, caller }: GraphqlContext,
    @Arg('filter', () => DeadLetterFilterInput, { nullable: true, description: 'Which ones. Default: all.' })
    filter: DeadLetterFilterInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the item before the page.' })
    after: string | null,
  ) {
    const request = pageRequest(first, after);
    const { items, ...page } = await deadLetters.list(caller, deadLetterFilter(filter), request);
    const letters = items.map(({ cursor, node }) => ({ cursor, node: letterOf(node) }));
    return connectionOf({ ...page, items: letters }, request);
  }

  @Query(() => [DeadLetterGroupType], { description: 'Dead letters by what they died of, the largest group first.' })
  async deadLetterGroups(
    @Ctx() { deadLetters, caller }: GraphqlContext,
    @Arg('filter', () => DeadLetterFilterInput, { nullable: true, description: 'Which ones. Default: all.' })
    filter: DeadLetterFilterInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
  ): Promise<DeadLetterGroupType[]> {
    const request = pageRequest(first, null);
    return (await deadLetters.groups(caller, deadLetterFilter(filter), request.first)).map(groupOf);
  }

  @Mutation(() => RedriveDeadLettersPayload, {
    description:
      'Tries dead letters again, with a new set of attempts, `ratePerSecond` of them in a second: they are RETRYING until their turn comes, whatever is restarted meanwhile, and turns wait while their queue or target is paused. A job that loads straight into an APPEND target goes on with the parts that are left, which are kept for 7 days; any other begins anew.',
  })
  redriveDeadLetters(
    @Ctx() { deadLetters, caller }: GraphqlContext,
    @Arg('input', () => RedriveDeadLettersInput, { description: 'Which ones, and how fast.' })
    input: RedriveDeadLettersInput,
  ): Promise<RedriveDeadLettersPayload> {
    const none = { ...NONE, redriveId: null, lastDueAt: null, replayed: false };
    return answering<Omit<RedriveDeadLettersPayload, 'userErrors'>>(none, async () => {
      const { redrive, replayed } = await deadLetters.redrive(caller, requestOf(input));
      const { id: redriveId, ...answer } = redrive;
      return { ...answer, redriveId, replayed };
    });
  }

  @Mutation(() => DiscardDeadLettersPayload, {
    description:
      'Gives dead letters up for good: they are CANCELLED and keep their error, and what they have staged is removed. They count as failed all the same.',
  })
  discardDeadLetters(
    @Ctx() { deadLetters, caller }: GraphqlContext,
    @Arg('input', () => DiscardDeadLettersInput, { description: 'Which ones, and why.' })
    input: DiscardDeadLettersInput,
  ): Promise<DiscardDeadLettersPayload> {
    return answering<Omit<DiscardDeadLettersPayload, 'userErrors'>>(NONE, () =>
      deadLetters.discard(caller, deadLetterChoice(input), input.reason),
    );
  }

  @FieldResolver(() => [JobRedriveType], {
    description: 'The last times it was brought back from the dead letters by `redriveDeadLetters`, oldest first.',
  })
  async redrives(
    @Root() job: Job,
    @Ctx() { deadLetters, caller }: GraphqlContext,
    @Arg('last', () => Int, { defaultValue: 10, description: 'How many, 1 to 100.' }) last: number,
  ) {
    if (last < 1 || last > 100) throw new SluiceError('INVALID_INPUT', '`last` must be 1 to 100.', { path: ['last'] });
    return deadLetters.redrivesOf(caller, job.id, last);
  }

  @FieldResolver(() => JobDiscardType, {
    nullable: true,
    description: 'Who gave the job up by `discardDeadLetters`, and why; null when nobody did.',
  })
  async discard(@Root() job: Job, @Ctx() { deadLetters, caller }: GraphqlContext) {
    return deadLetters.discardOf(caller, job.id);
  }
}
