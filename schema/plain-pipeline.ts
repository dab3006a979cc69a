import { LosslessNumber, stringify } from 'lossless-json';
import type { PipelineInput } from './pipeline.inputs.js';
import { RecordsSourceInput, type SourceInput } from './source.inputs.js';

/** One JSON value a line; lossless-json writes bigints and long decimals with all their digits. */
const toNdjson = (rows: readonly unknown[]): string => rows.map((row) => stringify(row) ?? 'null').join('\n');

// Inputs are instances of their classes, by which the JSON scalar's objects can be told from them.
const isJson = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || value instanceof LosslessNumber;
};

/** A JSON value as the stored spec can hold it: a number that no double holds becomes its digits, still exact. */
export function storable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof LosslessNumber) return value.value;
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, storable(item)]));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || isJson(value)) return storable(value);
  return value instanceof RecordsSourceInput ? plainRecords(value) : plainMembers(value);
}

/**
 * An input as a plain object for the parser of the engine: members that are null or missing are left out, so that
 * null counts as unset. Values of the JSON scalar are plain already, and what is null in them stays.
 */
function plainMembers(input: object): Record<string, unknown> {
  const set = Object.entries(input).filter(([, member]) => member !== undefined && member !== null);
  return Object.fromEntries(set.map(([key, member]) => [key, plain(member)]));
}

/** Rows become exact text, because no double may stand between the request and the rows. */
function plainRecords({ rows, ndjson }: RecordsSourceInput): Record<string, unknown> {
  // Both set is a mistake that the engine names; it must see both.
  if (rows && ndjson) return { rows, ndjson };
  return plainMembers({ ndjson: rows ? toNdjson(rows) : ndjson });
}

/** What the engine parses: `{ source, steps, expectations, sink, options }`, without what is not of the pipeline. */
export function plainPipeline(input: PipelineInput): Readonly<Record<string, unknown>> {
  const { priority: _ofTheJob, timeout, chunkTimeout, ...options } = plainMembers(input.options ?? {});
  return {
    source: plain(input.source),
    steps: plain(input.steps ?? []),
    expectations: plain(input.expectations ?? []),
    sink: plain(input.sink),
    // The Duration scalar has made milliseconds of them.
    options: {
      ...options,
      ...(timeout !== undefined && { timeoutMs: timeout }),
      ...(chunkTimeout !== undefined && { chunkTimeoutMs: chunkTimeout }),
    },
  };
}

export const plainSource = (source: SourceInput): unknown => plain(source);
