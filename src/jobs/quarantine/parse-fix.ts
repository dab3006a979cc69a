import { isLosslessNumber, stringify } from 'lossless-json';
import { type InputPath, SluiceError, UserErrors } from '../../core/errors.js';
import type { Fix } from '../../engine/replay/fix.js';
import { isJsonValue } from '../../engine/replay/quarantined-source.js';
import { requireColumn } from '../../engine/transforms/step.js';
import { refuseUnstorable } from '../refuse-unstorable.js';
import type { SourceColumn } from '../stores.js';
import type { FixInput, QuarantineFilter } from './ports.js';

const MOST_ROWS = 10_000;
const MOST_EXPRESSIONS = 100;

/** A fix that is understood, and the rows that it is for. */
export interface ParsedFix {
  readonly fix: Fix;
  readonly filter: QuarantineFilter;
}

/** @throws SluiceError or UserErrors with paths in the input */
export function parseFix({ jobId, rows, filter, set }: FixInput, columns: readonly SourceColumn[]): ParsedFix {
  if ((rows === null) === (set === null) || (rows !== null && filter !== null)) {
    const message = 'Give either `rows` with their values, or `set` with expressions, for the rows of `filter`.';
    throw new SluiceError('EXACTLY_ONE_MEMBER', message);
  }
  if (set !== null) {
    requireSize(set.length, MOST_EXPRESSIONS, 'expressions', ['set']);
    return { fix: { kind: 'SET', set }, filter: { ...filter, jobId } };
  }
  const given = rows ?? [];
  requireSize(given.length, MOST_ROWS, 'rows', ['rows']);
  const ids = given.map(({ id }) => id);
  const seen = new Set<string>();
  for (const [i, id] of ids.entries()) {
    if (seen.has(id)) throw new SluiceError('INVALID_INPUT', `Row ${id} stands twice.`, { path: ['rows', i, 'id'] });
    seen.add(id);
  }
  const errors: SluiceError[] = [];
  const patches = given.map(({ id, values }, i) => {
    try {
      return { id, values: recordOf(values, columns, ['rows', i, 'values']) };
    } catch (error) {
      if (error instanceof UserErrors) errors.push(...error.errors);
      else if (error instanceof SluiceError) errors.push(error);
      else throw error;
      return { id, values: '' };
    }
  });
  const [first, ...rest] = errors;
  if (first) throw new UserErrors([first, ...rest.slice(0, 9)]);
  return { fix: { kind: 'ROWS', rows: patches }, filter: { jobId, ids } };
}

function requireSize(size: number, most: number, what: string, path: InputPath): void {
  if (size >= 1 && size <= most) return;
  throw new SluiceError('INVALID_INPUT', `Give 1 to ${most} ${what}; there are ${size}.`, { path });
}

/** The values of a row as JSON text: those of single values as text, which keeps what the caller has written. */
function recordOf(values: unknown, columns: readonly SourceColumn[], path: InputPath): string {
  refuseUnstorable(values, path);
  if (typeof values !== 'object' || values === null || Array.isArray(values) || Object.keys(values).length === 0) {
    throw new SluiceError('INVALID_INPUT', 'The values of a row are a JSON object of columns, at least one.', { path });
  }
  const members = Object.entries(values).map(([name, value]: [string, unknown]) => {
    const at = [...path, name];
    const column = requireColumn(columns, name, at);
    return [name, isJsonValue(column) ? value : singleValue(column, value, at)];
  });
  return stringify(Object.fromEntries(members)) ?? '{}';
}

function singleValue({ name, type }: SourceColumn, value: unknown, path: InputPath): string | null {
  if (value === null) return null;
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || isLosslessNumber(value);
  if (typeof value === 'string' || typeof value === 'boolean' || isNumber) return String(value);
  throw new SluiceError('INVALID_INPUT', `The column "${name}" is ${type} and takes no list and no object.`, { path });
}
