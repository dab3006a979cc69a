import { SluiceError, UserErrors } from '../core/errors.js';
import { baseRelation, type CompileHooks, compile, withBase } from './compile.js';
import type { EngineContext, WithSinkClient } from './engine.js';
import { withSource } from './open-source.js';
import type { BoundPipeline } from './parse-pipeline.js';
import { ROW_NUMBER } from './relation.js';
import { emptyRelation } from './transforms/step.js';

/** Steps over all rows see a relation of the right shape without rows. */
export const dryHooks: CompileHooks = {
  async barrier(relation) {
    const hidden = relation.record.map((name) => ({ name, type: hiddenType(name) }));
    return { table: emptyRelation([...relation.columns, ...hidden]) };
  },
  onRebuilt: () => undefined,
};

/** Row numbers are the only hidden column that SQL compares. */
const hiddenType = (name: string): string => (name === ROW_NUMBER ? 'BIGINT' : 'VARCHAR');

/** Compiles everything against the real source and target without reading rows. @throws UserErrors */
export async function checkPipeline(
  options: EngineContext,
  pipeline: BoundPipeline,
  withSinkClient: WithSinkClient,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  await withSource(pipeline.source, options, { directory, signal, isLoading: false }, async ({ session, relation }) => {
    const inspect = (output: { columns: Parameters<typeof pipeline.sink.inspect>[1] }) =>
      withSinkClient((client) => pipeline.sink.inspect(client, output.columns, options.files, options.endpoints));
    const names = new Set<string>();
    const onStage: CompileHooks['onStage'] = async (_name, { columns }) => {
      for (const { name } of columns) names.add(name.toLowerCase());
    };
    const compiled = await compile(session, pipeline, baseRelation(relation), inspect, { ...dryHooks, onStage });
    refuseUnknownColumns(pipeline, names);
    // Binding the whole SELECT finds what no single step can see.
    const select = withBase(relation, compiled.relation.toSql(), { rowNumbers: true, keepRejects: false });
    await session.query(`DESCRIBE ${select}`);
  });
}

/** A misspelt column would be no secret. @param names of every stage, in lower case @throws UserErrors UNKNOWN_COLUMN */
function refuseUnknownColumns({ options }: BoundPipeline, names: ReadonlySet<string>): void {
  const [first, ...rest] = (options.escalation?.sensitiveColumns ?? []).flatMap((column, i) => {
    if (names.has(column.toLowerCase())) return [];
    const path = ['options', 'escalation', 'sensitiveColumns', i];
    return [new SluiceError('UNKNOWN_COLUMN', `There is no column "${column}" anywhere in the pipeline.`, { path })];
  });
  if (first) throw new UserErrors([first, ...rest]);
}
