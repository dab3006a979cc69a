import { booleans } from './booleans.js';
import { bytes } from './bytes.js';
import { decimals, numericTexts } from './decimals.js';
import { floats } from './floats.js';
import { integers } from './integers.js';
import { jsonTexts } from './json.js';
import type { TextCast } from './text-cast.js';
import { dates, instants, times, timestamps } from './times.js';
import { uuids } from './uuids.js';

/** A numeric column without declared precision: kept as text that PostgreSQL is sure to take. */
export const NUMERIC_TEXT = 'NUMERIC_TEXT';

const BY_TYPE: Readonly<Record<string, TextCast>> = {
  [NUMERIC_TEXT]: numericTexts,
  BOOLEAN: booleans,
  FLOAT: floats('FLOAT'),
  DOUBLE: floats('DOUBLE'),
  DATE: dates,
  TIME: times,
  TIMESTAMP: timestamps,
  TIMESTAMPTZ: instants,
  'TIMESTAMP WITH TIME ZONE': instants,
  UUID: uuids,
  JSON: jsonTexts,
  BLOB: bytes,
};

/** How text becomes a value of the DuckDB type, or of NUMERIC_TEXT. Types that no rule is known of are DuckDB's to read. */
export function textCastOf(type: string): TextCast {
  const known = BY_TYPE[type];
  if (known !== undefined) return known;
  if (type.startsWith('DECIMAL')) return decimals(type);
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return integers(type);
  return { attempt: (text) => `TRY_CAST(${text} AS ${type})`, settle: (attempt) => attempt };
}
