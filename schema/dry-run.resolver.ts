import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql';
import { SluiceError } from '../src/core/errors.js';
import type { GraphqlContext, JobService } from './context.js';
import { PreviewEtlInput } from './pipeline.inputs.js';
import { plainPipeline, plainSource } from './plain-pipeline.js';
import { InferSchemaPayload, PreviewEtlPayload } from './preview.types.js';
import { SourceInput } from './source.inputs.js';
import { answering } from './user-error.types.js';

const MAX_ROWS = 100;

type Preview = Awaited<ReturnType<JobService['preview']>>;

@Resolver()
export class DryRunResolver {
  @Query(() => PreviewEtlPayload, {
    description: 'Tries a pipeline: the first rows after every step, the SQL, the expectations. Loads nothing.',
  })
  previewEtl(
    @Ctx() { jobs, caller }: GraphqlContext,
    @Arg('input', () => PreviewEtlInput, { description: 'The pipeline.' }) input: PreviewEtlInput,
    @Arg('rows', () => Int, { defaultValue: 10, description: 'How many rows to show, 1 to 100.' }) rows: number,
  ) {
    return answering<{ preview: Preview | null }>({ preview: null }, async () => {
      if (rows < 1 || rows > MAX_ROWS)
        throw new SluiceError('INVALID_INPUT', `\`rows\` must be 1 to ${MAX_ROWS}.`, { path: ['rows'] });
      return { preview: await jobs.preview(caller, plainPipeline(input), rows) };
    });
  }

  @Query(() => InferSchemaPayload, { description: 'Looks into a source and suggests a type for each of its columns.' })
  inferSchema(
    @Ctx() { jobs, caller }: GraphqlContext,
    @Arg('source', () => SourceInput, { description: 'The source.' }) source: SourceInput,
  ) {
    return answering({ columns: [] }, async () => ({ columns: await jobs.inferSchema(caller, plainSource(source)) }));
  }
}
