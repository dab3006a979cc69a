import { expect } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import { eventually } from './eventually.js';
import { partEngine } from './part-engine.js';
import { aPipeline, type Runtime } from './runtime.js';

/** Four parts of one row each, and a bad one. */
export const FOUR_PARTS = {
  parts: Array.from({ length: 4 }, (_, i) => [[i, `row ${i}`]] as const),
  bad: ['{"id":"x"}'],
};

/** A job that asks nobody and ended with its first two parts loaded into `target`: the others are refused. @returns its id */
export async function aHalfLoadedJob(
  runtime: Runtime,
  sink: object,
  code: 'UNAVAILABLE' | 'TARGET_NOT_FOUND' = 'UNAVAILABLE',
): Promise<string> {
  const engine = partEngine(FOUR_PARTS);
  const { parsePipeline } = runtime.context(engine);
  const spec = aPipeline({ table: 'target', ...sink }, { onFailure: 'FAIL' }).json;
  const id = await runtime.launch({ spec, maxAttempts: 1 });
  const { queue } = await runtime.worker(engine, {
    parsePipeline(spec) {
      const pipeline = parsePipeline(spec);
      const load: typeof pipeline.sink.load = async (tx, prepared, part) => {
        if (part.ordinal < 2) return pipeline.sink.load(tx, prepared, part);
        // A loader that fails stops the other one.
        await eventually(async () => (await runtime.job(id)).progress.chunksDone === 2);
        throw new SluiceError(code, 'On purpose.');
      };
      return { ...pipeline, sink: { ...pipeline.sink, load } };
    },
  });
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: code === 'UNAVAILABLE' ? 'DEAD' : 'FAILED' });
  return id;
}
