import type { Pipeline } from '../engine/pipeline.js';
import { refuseUnstorable } from './refuse-unstorable.js';

type Json = Readonly<Record<string, unknown>>;

const UNLIMITED = { count: null, percent: null, minRows: 0 };

/** The spec with rows that fail set aside, however many they are. */
export function withoutErrorBudget(spec: unknown): Json {
  const { options, ...rest } = objectOf(spec);
  return { ...rest, options: { ...objectOf(options), errorBudget: UNLIMITED } };
}

/**
 * The spec with rows that fail an expectation set aside instead of stopping the job, however many they are. An
 * expectation about the number of rows has none to set aside; it warns.
 */
export function quarantiningFailures(spec: unknown): Json {
  const { expectations, ...rest } = withoutErrorBudget(spec);
  return { ...rest, expectations: Array.isArray(expectations) ? expectations.map(tolerant) : [] };
}

function tolerant(expectation: unknown): Json {
  // Beyond its threshold an expectation of any severity but WARN stops the job.
  const { threshold, ...kept } = objectOf(expectation);
  if (kept.severity === 'WARN') return { ...kept, threshold };
  return { ...kept, severity: 'rowCount' in kept ? 'WARN' : 'QUARANTINE' };
}

/** JSON merge patch, RFC 7396: members replace, `null` removes, objects are merged, arrays are not. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(objectOf(target)));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/** A changed spec, checked like one that is launched. @throws UserErrors with paths in the spec */
export function reparsed(spec: unknown, parsePipeline: (spec: unknown) => Pipeline): Pipeline {
  const pipeline = parsePipeline(spec);
  refuseUnstorable(pipeline.json);
  return pipeline;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
