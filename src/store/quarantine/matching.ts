import type { QuarantineFilter } from '../../jobs/quarantine/ports.js';

// Always fits a bigint.
export const ROW_KEY = /^\d{1,18}$/;

/**
 * The condition over `bad` that a filter means, with its values: $1 to $5.
 * @returns the values; further ones of a statement begin with $6
 */
export function valuesOf(tenant: string, { jobId, statuses, code, column, ids }: QuarantineFilter): unknown[] {
  const reason = { ...(code !== undefined && { code }), ...(column !== undefined && { column }) };
  return [
    tenant,
    jobId,
    statuses ?? null,
    Object.keys(reason).length === 0 ? null : JSON.stringify([reason]),
    ids?.filter((id) => ROW_KEY.test(id)) ?? null,
  ];
}

export const MATCHES = `bad.tenant = $1 and bad.job_id = $2 and ($3::text[] is null or bad.status = any($3))
  and ($4::jsonb is null or bad.reasons @> $4) and ($5::bigint[] is null or bad.id = any($5))`;

/** The codes of what the reader could not make a row of: the raw record is a line, not values. */
const UNSPLIT_CODES = [
  'TOO_FEW_COLUMNS',
  'TOO_MANY_COLUMNS',
  'QUOTE_NOT_CLOSED',
  'LINE_TOO_LONG',
  'WRONG_ENCODING',
  'MALFORMED_RECORD',
];
const anyUnsplit = UNSPLIT_CODES.map((code) => `@.code == "${code}"`).join(' || ');

/** Whether the raw record of `bad` is a JSON object with the columns of the source. */
export const IS_SPLIT = `(bad.file is not null and not jsonb_path_exists(bad.reasons, '$[*] ? (${anyUnsplit})'))`;

/** The record of `bad` as it would be replayed; null when it has no values yet. */
export const RECORD = `coalesce(bad.fixed, case when ${IS_SPLIT} then bad.raw end)`;
