import { Field, ID, ObjectType } from 'type-graphql';
import type { EscalationStatus } from '../escalation/escalation.js';
import { EscalationStatusEnum } from './escalation.enums.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { JsonScalar } from './scalars/json.js';
import { LongScalar } from './scalars/long.js';

/** `agents` and `escalation` are in the resolver. */
@ObjectType('EscalationLogEntry', {
  description:
    'A row of the log, which is append-only and chained by hashes: what happened to an escalation or a policy, by whom and why.',
})
export class EscalationLogEntryType {
  @Field(() => LongScalar, { description: 'Number of the row, from 1 and gapless over all escalations.' })
  seq!: number;

  @Field(() => ID, { nullable: true, description: 'The escalation; null for rows about a policy.' })
  escalationId!: string | null;

  @Field(() => DateTimeScalar, { description: "When it happened, by the database's clock." })
  at!: Date;

  @Field(() => String, {
    description:
      'What happened: OPEN, DUE, ACKNOWLEDGE, CLAIM, RENEW, RELEASE, DECLINE, DECIDE, APPLIED, FAILED, ESCALATE, SNOOZE, REASSIGN, RESOLVE, RECOVER, REOPEN, OCCURRED, COMMENT, DELIVERED, UNDELIVERABLE, POLICY_SAVED; more may come.',
  })
  kind!: string;

  @Field(() => String, { description: 'Who did it: the id of an agent, `engine`, `job` or `monitor`.' })
  actor!: string;

  @Field(() => EscalationStatusEnum, {
    nullable: true,
    description: 'Status of the escalation after it; null for rows about a policy.',
  })
  status!: EscalationStatus | null;

  @Field(() => JsonScalar, {
    description:
      'Why: policy and version, rule, step, round, when it was due, verdict, comment; of a saved policy its version and the hash of what it says.',
  })
  data!: unknown;

  @Field(() => String, { description: 'Hash of the row before; empty for the first.' })
  prevHash!: string;

  @Field(() => String, { description: 'Hash of this row and the one before.' })
  hash!: string;
}

@ObjectType('EscalationLogStatus', {
  description: 'Whether every row of the log is as it was written and where it was written.',
})
export class EscalationLogStatusType {
  @Field(() => Boolean, { description: 'Whether the chain of hashes is whole.' })
  ok!: boolean;

  @Field(() => LongScalar, {
    nullable: true,
    description: 'The first row that was changed, is missing or stands elsewhere; null when all is well.',
  })
  brokenSeq!: number | null;

  @Field(() => String, { nullable: true, description: 'What is wrong with it; null when all is well.' })
  problem!: string | null;

  @Field(() => LongScalar, { description: 'Number of the last row; 0 when there is none.' })
  lastSeq!: number;
}
