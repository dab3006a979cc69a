import { SluiceError } from '../../core/errors.js';
import { quarantinedSource } from '../../engine/replay/quarantined-source.js';
import type { Job } from '../job.js';
import { mergePatch } from '../spec-changes.js';
import type { SourceColumn } from '../stores.js';
import { targetOf } from '../target.js';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The spec with which rows of a job are replayed: its own, patched, over its quarantine as the source. Rows come into a
 * table all at once, so that none is in the target when the replay fails and its rows go back.
 * @throws SluiceError INVALID_INPUT for a patch that is none, or of the source; STATE_NOT_ALLOWED for a target that the
 *   replay would empty, or that takes nothing back
 */
export function replaySpec(origin: Job, columns: readonly SourceColumn[], patch: unknown): Json {
  if (patch !== null && !isObject(patch)) throw wrongPatch('The patch is a JSON object, merged into the spec.');
  if (patch !== null && 'source' in patch)
    throw wrongPatch('The source of a replay is the quarantine; patch steps, expectations, sink or options.', 'source');
  const spec = patch === null ? origin.spec : mergePatch(origin.spec, patch);
  const { sink, ...rest } = isObject(spec) ? spec : {};
  refuseDelivering(sink);
  refuseEmptying(origin, sink);
  return overQuarantine(origin.id, columns, { ...rest, sink: staged(sink) });
}

/** A spec with the quarantine of a job in place of its source. */
export function overQuarantine(jobId: string, columns: readonly SourceColumn[], spec: unknown): Json {
  const quarantine = { jobId, columns: columns.map(({ name, type }) => ({ name, type })) };
  return { ...(isObject(spec) ? spec : {}), source: { [quarantinedSource.name]: quarantine } };
}

const wrongPatch = (message: string, ...path: string[]): SluiceError =>
  new SluiceError('INVALID_INPUT', message, { path: ['specPatch', ...path] });

/** Rows of a replay that fails go back, to be replayed again. */
function refuseDelivering(sink: unknown): void {
  if (!isObject(sink) || !('http' in sink)) return;
  throw new SluiceError(
    'STATE_NOT_ALLOWED',
    'What an HTTP sink has sent cannot be taken back when a replay fails: patch the spec with another target.',
    { path: ['specPatch', 'sink'] },
  );
}

/** A target that holds nothing but what a job publishes would lose all the rows that were good. */
function refuseEmptying(origin: Job, sink: unknown): void {
  if (!isObject(sink) || targetOf({ sink }) !== targetOf(origin.spec)) return;
  const { postgres } = sink;
  if (isObject(postgres) && postgres.mode !== 'REPLACE') return;
  const what = isObject(postgres) ? 'The sink replaces the content of its table' : 'The sink writes its file anew';
  const wayOut = isObject(postgres)
    ? '{ sink: { postgres: { mode: "APPEND" } } } to add the rows to it'
    : 'another target';
  throw new SluiceError(
    'STATE_NOT_ALLOWED',
    `${what}, and the rows that are there would go: patch the spec with ${wayOut}.`,
    { path: ['specPatch', 'sink'] },
  );
}

function staged(sink: unknown): unknown {
  if (!isObject(sink) || !isObject(sink.postgres)) return sink;
  return { ...sink, postgres: { ...sink.postgres, staged: true } };
}
