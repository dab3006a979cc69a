import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPipeline } from './check-pipeline.js';
import type { Engine, EngineContext, EngineOptions } from './engine.js';
import { evaluate } from './evaluate/evaluate.js';
import { inferSchema } from './infer-schema.js';
import { parsePipeline, parseSource } from './parse-pipeline.js';
import { preview } from './preview.js';
import { tryFix } from './replay/try-fix.js';
import { WarmInstances } from './warm-instances.js';

/** Longest that a check, a preview or an inference may take; they answer a caller who waits. */
const INTERACTIVE_MS = 30_000;

/** The engine over DuckDB. It keeps nothing between calls but an instance made ahead. */
export function createEngine(options: EngineOptions): Engine {
  const context: EngineContext = { ...options, instances: new WarmInstances(options.limits) };
  const interactive = async <T>(work: (directory: string, signal: AbortSignal) => Promise<T>): Promise<T> => {
    const parent = options.scratchDir ?? tmpdir();
    await mkdir(parent, { recursive: true });
    const directory = await mkdtemp(join(parent, 'sluice-'));
    try {
      return await work(directory, AbortSignal.timeout(INTERACTIVE_MS));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
  return {
    openSessions: () => context.instances.inUse,
    check: (pipeline, withSinkClient) =>
      interactive((directory, signal) =>
        checkPipeline(context, parsePipeline(pipeline.json), withSinkClient, directory, signal),
      ),
    evaluate: (request) => evaluate(context, { ...request, pipeline: parsePipeline(request.pipeline.json) }),
    preview: (pipeline, withSinkClient, rows) =>
      interactive((directory, signal) =>
        preview(context, parsePipeline(pipeline.json), withSinkClient, rows, directory, signal),
      ),
    inferSchema: (source) =>
      interactive((directory, signal) => inferSchema(context, parseSource(source), directory, signal)),
    tryFix: (request) =>
      interactive((directory, signal) =>
        tryFix(context, { ...request, pipeline: parsePipeline(request.pipeline.json) }, directory, signal),
      ),
  };
}
