import { Field, Float, Int, ObjectType } from 'type-graphql';
import { LongScalar } from './scalars/long.js';

@ObjectType('JobProgress', {
  description:
    'How far a job is. Rows are committed rows and never go down, attempts included; only a verdict that begins the job anew starts them over. At the end `rowsRead = rowsLoaded + rowsFiltered + rowsDeduplicated + rowsQuarantined + rowsReshaped`.',
})
export class JobProgressType {
  @Field(() => LongScalar, { description: 'Rows read from the source.' })
  rowsRead!: number;

  @Field(() => LongScalar, { description: 'Rows committed into the target so far.' })
  rowsLoaded!: number;

  @Field(() => LongScalar, { description: 'Rows that `filter` steps took away.' })
  rowsFiltered!: number;

  @Field(() => LongScalar, { description: 'Rows that `deduplicate` steps took away.' })
  rowsDeduplicated!: number;

  @Field(() => LongScalar, { description: 'Rows set aside with their reasons.' })
  rowsQuarantined!: number;

  @Field(() => LongScalar, { description: 'Rows that `sql` steps took away; negative when they added rows.' })
  rowsReshaped!: number;

  @Field(() => LongScalar, {
    nullable: true,
    description: 'Rows that will be loaded; null until the source has been read.',
  })
  totalRows!: number | null;

  @Field(() => Int, { description: 'Chunks loaded; a chunk is one transaction.' })
  chunksDone!: number;

  @Field(() => Int, { nullable: true, description: 'Chunks in all; null until the source has been read.' })
  chunksTotal!: number | null;

  @Field(() => Float, { nullable: true, description: 'Loaded rows per second since loading began; null before.' })
  rowsPerSecond!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Seconds until loading is done, at this pace; null when unknown.',
  })
  etaSeconds!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of the current stage that is done, 0 to 1; null when unknown.',
  })
  stageProgress!: number | null;
}
