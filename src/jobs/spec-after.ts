import { SluiceError } from '../core/errors.js';
import type { Pipeline } from '../engine/pipeline.js';
import { mergePatch, quarantiningFailures, reparsed, withoutErrorBudget } from './spec-changes.js';
import { targetOf } from './target.js';

export type { Pipeline };
export type PipelineParser = (spec: unknown) => Pipeline;

/** A spec that takes the place of the stored one, and what the job row keeps of it in columns of its own. */
export interface ChangedSpec {
  readonly pipeline: Pipeline;
  readonly spec: object;
  readonly target: string | null;
  readonly maxAttempts: number;
  readonly timeoutMs: number | null;
}

/** The ways of deciding after which a job begins anew. */
export type Restart = 'RETRY' | 'SKIP_ROWS' | 'QUARANTINE_AND_CONTINUE' | 'PATCH_SPEC';

/**
 * The spec with which a held job begins anew.
 *
 * @param patch JSON merge patch for PATCH_SPEC
 * @returns undefined when it stays as it is
 * @throws SluiceError or UserErrors when the changed spec is none that could be launched
 */
export function specAfter(
  spec: unknown,
  kind: Restart,
  patch: object | null,
  parse: PipelineParser,
): ChangedSpec | undefined {
  if (kind === 'RETRY') return undefined;
  const pipeline = reparsed(changedBy(spec, kind, patch), parse);
  const { json, options } = pipeline;
  return {
    pipeline,
    spec: json,
    target: targetOf(json),
    maxAttempts: options.maxAttempts,
    timeoutMs: options.timeoutMs,
  };
}

function changedBy(spec: unknown, kind: Exclude<Restart, 'RETRY'>, patch: object | null): unknown {
  if (kind === 'SKIP_ROWS') return withoutErrorBudget(spec);
  if (kind === 'QUARANTINE_AND_CONTINUE') return quarantiningFailures(spec);
  if (patch === null || Array.isArray(patch)) {
    throw new SluiceError('INVALID_INPUT', 'PATCH_SPEC needs a patch: a JSON object, merged into the spec.');
  }
  return mergePatch(spec, patch);
}
