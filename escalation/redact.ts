import { LosslessNumber, parse, stringify } from 'lossless-json';
import { isSecretKey, REDACTED, withoutCredentials } from './secrets.js';
import { SensitiveColumns } from './sensitive-columns.js';

/** Deeper values than this are no evidence that anybody reads. */
const MAX_DEPTH = 32;
const TOO_DEEP = '[deeper values left out]';

/** Where the walk is. */
interface Place {
  readonly sensitive: SensitiveColumns;
  readonly depth: number;
  /** Below `steps` or `expectations`: in the options of components, where values of columns are written down. */
  readonly inOptions: boolean;
}

const OPTIONS = new Set(['steps', 'expectations']);
/** Options that say which columns are meant and what they are; whatever stands beside them may be a value. */
const NAMING = new Set(['column', 'columns', 'name', 'keys', 'into', 'orderBy', 'type']);
/** What PostgreSQL says beside its message: values of the row that it refused. */
const SERVER_WORDS = new Set(['detail', 'where', 'hint']);
/** PostgreSQL names the columns of a key, and then their values. */
const KEY_DETAIL = /^Key \((.*)\)=\(/s;
const KEY = /\bkey \(.*\)=\(/is;
const ROW = /Failing row contains \(/;

type Parts = Readonly<Record<string, unknown>>;

function clean(value: unknown, place: Place): unknown {
  const { sensitive, depth, inOptions } = place;
  if (typeof value === 'string') return mayStay(value, place) ? withoutCredentials(value) : REDACTED;
  if (typeof value !== 'object' || value === null || value instanceof LosslessNumber) return value;
  if (depth >= MAX_DEPTH) return TOO_DEEP;
  const below = { ...place, depth: depth + 1 };
  if (Array.isArray(value)) return value.map((item) => clean(item, below));
  // A plain object: all else has been told apart before.
  const parts = value as Parts;
  const isAbout = inOptions && isAboutSensitive(parts, sensitive);
  return Object.fromEntries(
    Object.entries(parts).map(([key, item]) => {
      const isHidden = isSecretKey(key) || sensitive.has(key) || (isAbout && !NAMING.has(key));
      if (isHidden || (!sensitive.areNone && isWordsWithValues(key, item, parts, sensitive))) return [key, REDACTED];
      if (typeof item === 'string' && key === 'raw') return [key, redactRecord(item, { ...below, inOptions: false })];
      if (typeof item === 'string' && key === 'ndjson') return [key, redactLines(item, { ...below, inOptions: false })];
      return [key, clean(item, { ...below, inOptions: inOptions || OPTIONS.has(key) })];
    }),
  );
}

/** An expression or a description that names a sensitive column may hold its values; the name alone does not. */
function mayStay(text: string, { sensitive, inOptions }: Place): boolean {
  if (sensitive.areNone || sensitive.has(text)) return true;
  return !ROW.test(text) && !(sensitive.areIn(text) && (inOptions || KEY.test(text)));
}

const isAboutSensitive = ({ column, columns, name, keys, into }: Parts, sensitive: SensitiveColumns): boolean =>
  [column, name, into, columns, keys].flat().some((named) => sensitive.has(named));

/**
 * What is wrong is told in words with the value in it, and nobody can tell which of them it is: the code, and the names
 * of columns and constraints beside them, say enough.
 */
function isWordsWithValues(key: string, item: unknown, { code }: Parts, sensitive: SensitiveColumns): boolean {
  if (typeof item !== 'string') return false;
  if (key === 'message') return typeof code === 'string';
  if (!SERVER_WORDS.has(key)) return false;
  const columns = KEY_DETAIL.exec(item)?.[1];
  return columns === undefined || sensitive.areIn(columns);
}

/** A record as it was read: JSON text of its columns, or a line whose columns nobody can tell apart. */
function redactRecord(raw: string, place: Place): string {
  if (place.sensitive.areNone) return withoutCredentials(raw);
  try {
    // Whatever their size, numbers stay as they were read.
    const record = parse(raw);
    const isObject = typeof record === 'object' && record !== null;
    if (isObject && !Array.isArray(record) && !(record instanceof LosslessNumber))
      return stringify(clean(record, place)) ?? REDACTED;
  } catch {
    // No JSON, or a member twice.
  }
  return REDACTED;
}

/** Records as a user has written them into a spec. */
const redactLines = (text: string, place: Place): string =>
  text
    .split('\n')
    .map((line) => (line.trim() === '' ? line : redactRecord(line, place)))
    .join('\n');

/**
 * The same JSON without what must not be shown to whoever decides: values under keys that name a secret, credentials
 * inside texts, and values of sensitive columns: in records, in the options of components, in words about errors.
 * @param sensitiveColumns whatever their case
 */
export const redact = (value: unknown, sensitiveColumns: readonly string[] = []): unknown =>
  clean(value, { sensitive: new SensitiveColumns(sensitiveColumns), depth: 0, inOptions: false });
