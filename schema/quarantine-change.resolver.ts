import { Arg, Ctx, Field, ID, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { SluiceError } from '../src/core/errors.js';
import type { Job } from '../src/jobs/job.js';
import type { GraphqlContext } from './context.js';
import { JobType } from './job.types.js';
import { storable } from './plain-pipeline.js';
import {
  DiscardQuarantinedRowsInput,
  FixQuarantinedRowsInput,
  quarantineFilter,
  ReplayQuarantineInput,
} from './quarantine.inputs.js';
import { QuarantineReasonType } from './quarantine.types.js';
import { answering, UserErrorType } from './user-error.types.js';

@ObjectType('ReplayQuarantinePayload', { description: 'Answer of `replayQuarantine`.' })
class ReplayQuarantinePayload {
  @Field(() => JobType, { nullable: true, description: 'The job that loads the rows; null when it was not started.' })
  job!: Job | null;

  @Field(() => Int, { description: 'How many rows it has claimed; 0 once it has given them back.' })
  rows!: number;

  @Field(() => Boolean, { description: 'Whether an earlier replay with the same `idempotencyKey` is the answer.' })
  replayed!: boolean;

  @Field(() => [UserErrorType], { description: 'Why nothing is replayed; empty when something is.' })
  userErrors!: UserErrorType[];
}

@ObjectType('FixedRowsReason', { description: 'Why fixed rows are still bad.' })
class FixedRowsReason {
  @Field(() => String, { description: 'Which check they break.' })
  code!: string;

  @Field(() => String, { nullable: true, description: 'The column at fault; null when it is the whole record.' })
  column!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Position in the spec of the expectation that they break; null when it is none.',
  })
  expectation!: number | null;

  @Field(() => Int, { description: 'How many rows.' })
  rows!: number;
}

@ObjectType('FixedRowSample', { description: 'A fixed row that is still bad.' })
class FixedRowSample {
  @Field(() => ID, { nullable: true, description: 'Id of the row; null when a `sql` step made it of several.' })
  id!: string | null;

  @Field(() => [QuarantineReasonType], { description: 'Every check it breaks.' })
  reasons!: readonly QuarantineReasonType[];

  @Field(() => String, { description: 'The values it would have, a JSON object as text.' })
  values!: string;
}

@ObjectType('FixQuarantinedRowsPayload', { description: 'Answer of `fixQuarantinedRows`.' })
class FixQuarantinedRowsPayload {
  @Field(() => Int, { description: 'How many rows the fix is for.' })
  rows!: number;

  @Field(() => Int, { description: 'How many of them the pipeline takes now.' })
  good!: number;

  @Field(() => Int, { description: 'How many are still bad; they stay as they were.' })
  bad!: number;

  @Field(() => Int, {
    description: 'How many have become FIXED: 0 in a dry run, fewer than `good` when rows have changed meanwhile.',
  })
  fixed!: number;

  @Field(() => [FixedRowsReason], { description: 'Why rows are still bad, most rows first.' })
  reasons!: readonly FixedRowsReason[];

  @Field(() => [FixedRowSample], { description: 'The first of those that are still bad, at most 10.' })
  samples!: readonly FixedRowSample[];

  @Field(() => [UserErrorType], { description: 'Why nothing was fixed; empty when the fix could be tried.' })
  userErrors!: UserErrorType[];
}

const NOTHING_FIXED = { rows: 0, good: 0, bad: 0, fixed: 0, reasons: [], samples: [] };

@ObjectType('DiscardQuarantinedRowsPayload', { description: 'Answer of `discardQuarantinedRows`.' })
class DiscardQuarantinedRowsPayload {
  @Field(() => Int, { description: 'How many rows have become DISCARDED; those that were before do not count.' })
  discarded!: number;

  @Field(() => [UserErrorType], { description: 'Why nothing was discarded; empty when rows could be.' })
  userErrors!: UserErrorType[];
}

@Resolver()
export class QuarantineChangeResolver {
  @Mutation(() => ReplayQuarantinePayload, {
    description:
      'Loads quarantined rows after all, by a job of its own through the pipeline of the job that set them aside. Each row goes once: it is REPLAYING from now on, REPLAYED with the success of the job, and what it was before when the job ends otherwise. A row that is bad again is in the quarantine of the replay. At most 250,000 rows at once. A target that is replaced as a whole is refused.',
  })
  replayQuarantine(
    @Ctx() { quarantine, caller }: GraphqlContext,
    @Arg('input', () => ReplayQuarantineInput, { description: 'Which rows, and how.' }) input: ReplayQuarantineInput,
  ): Promise<ReplayQuarantinePayload> {
    return answering<Omit<ReplayQuarantinePayload, 'userErrors'>>({ job: null, rows: 0, replayed: false }, () =>
      quarantine.replay(caller, {
        filter: quarantineFilter(input.jobId, input.filter),
        specPatch: storable(input.specPatch ?? null),
        idempotencyKey: input.idempotencyKey ?? null,
      }),
    );
  }

  @Mutation(() => FixQuarantinedRowsPayload, {
    description:
      'Gives quarantined rows other values, row by row or by expressions. The fixed rows run through the pipeline of their job first, up to its target; those that it takes become FIXED, and wait for `replayQuarantine`. Steps and expectations over all rows (`unique`, `rowCount`, `deduplicate`, `sql`) see the fixed rows alone. The record as it was read is kept. A dry run by default.',
  })
  fixQuarantinedRows(
    @Ctx() { quarantine, caller }: GraphqlContext,
    @Arg('input', () => FixQuarantinedRowsInput, { description: 'Which rows, and how.' })
    input: FixQuarantinedRowsInput,
  ): Promise<FixQuarantinedRowsPayload> {
    const { jobId, rows, filter, set, dryRun } = input;
    return answering<Omit<FixQuarantinedRowsPayload, 'userErrors'>>(NOTHING_FIXED, () => {
      const { jobId: _ofTheInput, ...which } = quarantineFilter(jobId, filter);
      return quarantine.fix(caller, {
        jobId,
        rows: rows ?? null,
        filter: filter ? which : null,
        set: set ?? null,
        isDryRun: dryRun !== false,
      });
    });
  }

  @Mutation(() => DiscardQuarantinedRowsPayload, {
    description:
      'Gives quarantined rows up: they are neither fixed nor replayed any more. Rows that are REPLAYING or REPLAYED are left alone, or refused when they are named.',
  })
  discardQuarantinedRows(
    @Ctx() { quarantine, caller }: GraphqlContext,
    @Arg('input', () => DiscardQuarantinedRowsInput, { description: 'Which rows, and why.' })
    { jobId, ids, filter, reason }: DiscardQuarantinedRowsInput,
  ): Promise<DiscardQuarantinedRowsPayload> {
    return answering<Omit<DiscardQuarantinedRowsPayload, 'userErrors'>>({ discarded: 0 }, async () => {
      if (ids && filter)
        throw new SluiceError('EXACTLY_ONE_MEMBER', 'Give either `ids` or `filter`.', { path: ['filter'] });
      const which = { ...quarantineFilter(jobId, filter), ...(ids && { ids }) };
      return { discarded: await quarantine.discard(caller, which, reason) };
    });
  }
}
