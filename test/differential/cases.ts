import type { Arbitrary } from 'fast-check';
import { fieldsOf, type Value, valuesOf } from './records.js';
import { dates, times, timestamps } from './values/dates.js';
import { decimals, floats, integers, numerics } from './values/numbers.js';
import { booleans, byteas, jsons, uuids } from './values/structured.js';
import { sloppilyQuoted, texts, textsOfLength } from './values/texts.js';

/** A type of a target's column, and values near its edges. */
export interface CopyCase {
  /** As PostgreSQL names it. */
  readonly type: string;
  /** The options of the cast step that has this type, beside the column; null where the step has none. */
  readonly cast: Readonly<Record<string, unknown>> | null;
  /** Of PostgreSQL's session. */
  readonly timeZone: string;
  readonly values: Arbitrary<string | Buffer>;
  /** The values are fields as they stand in the file, quotes and all. */
  readonly areFields?: true;
}

const UTC = 'UTC';

export const CASES: readonly CopyCase[] = [
  { type: 'smallint', cast: { type: 'SMALLINT' }, timeZone: UTC, values: integers(16) },
  { type: 'integer', cast: { type: 'INTEGER' }, timeZone: UTC, values: integers(32) },
  { type: 'bigint', cast: { type: 'BIGINT' }, timeZone: UTC, values: integers(64) },
  { type: 'numeric(12,2)', cast: { type: 'DECIMAL', precision: 12, scale: 2 }, timeZone: UTC, values: decimals(12, 2) },
  { type: 'numeric(4,4)', cast: { type: 'DECIMAL', precision: 4, scale: 4 }, timeZone: UTC, values: decimals(4, 4) },
  {
    type: 'numeric(38,10)',
    cast: { type: 'DECIMAL', precision: 38, scale: 10 },
    timeZone: UTC,
    values: decimals(38, 10),
  },
  { type: 'numeric', cast: null, timeZone: UTC, values: numerics },
  { type: 'real', cast: { type: 'REAL' }, timeZone: UTC, values: floats('float4') },
  { type: 'double precision', cast: { type: 'DOUBLE' }, timeZone: UTC, values: floats('float8') },
  { type: 'boolean', cast: { type: 'BOOLEAN' }, timeZone: UTC, values: booleans },
  { type: 'text', cast: { type: 'TEXT' }, timeZone: UTC, values: texts },
  { type: 'text', cast: null, timeZone: UTC, values: sloppilyQuoted, areFields: true },
  { type: 'character varying(5)', cast: null, timeZone: UTC, values: textsOfLength(5) },
  { type: 'character(5)', cast: null, timeZone: UTC, values: textsOfLength(5) },
  { type: 'date', cast: { type: 'DATE' }, timeZone: UTC, values: dates },
  { type: 'time without time zone', cast: { type: 'TIME' }, timeZone: UTC, values: times },
  { type: 'timestamp without time zone', cast: { type: 'TIMESTAMP' }, timeZone: UTC, values: timestamps },
  { type: 'timestamp with time zone', cast: { type: 'TIMESTAMPTZ' }, timeZone: UTC, values: timestamps },
  { type: 'timestamp with time zone', cast: { type: 'TIMESTAMPTZ' }, timeZone: 'America/New_York', values: timestamps },
  { type: 'uuid', cast: { type: 'UUID' }, timeZone: UTC, values: uuids },
  { type: 'json', cast: { type: 'JSON' }, timeZone: UTC, values: jsons },
  { type: 'jsonb', cast: { type: 'JSON' }, timeZone: UTC, values: jsons },
  { type: 'bytea', cast: { type: 'BINARY' }, timeZone: UTC, values: byteas },
];

export const sample = ({ values, areFields }: CopyCase, count: number, seed: number): readonly Value[] =>
  areFields ? fieldsOf(values, count, seed) : valuesOf(values, count, seed);
