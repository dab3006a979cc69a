import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import type { Column } from '../column.js';
import type { CheckedTarget } from './postgres-check.js';
import { type PostgresOptions, STAGING_PREFIX } from './postgres-options.js';
import { readBack } from './recheck/read-back.js';

/**
 * How rows become visible.
 * - DIRECT: each chunk goes into the target itself, for nothing there can refuse a row half-way.
 * - INSERT: staged; inserted (or upserted) into the target by the finishing transaction.
 * - REPLACE_ROWS: staged; the finishing transaction deletes the old rows and inserts the new ones.
 * - SWAP: the staging table, a copy of the target in all but rows, takes the target's place.
 * - CREATE: the staging table becomes the target, which did not exist.
 */
const ENDINGS = ['DIRECT', 'INSERT', 'REPLACE_ROWS', 'SWAP', 'CREATE'] as const;
export type Ending = (typeof ENDINGS)[number];

/** What `prepare` leaves on the job for those who load and publish. */
export const preparedPostgres = z.object({
  schema: z.string(),
  table: z.string(),
  mode: z.enum(['APPEND', 'UPSERT', 'REPLACE']),
  /** Columns of the parts, in order. */
  columns: z.array(z.string()),
  key: z.array(z.string()),
  ending: z.enum(ENDINGS),
  /** Name of the staging table, in the schema of the target; null for DIRECT. */
  staging: z.string().nullable(),
  /** Why the rows are staged, in words; empty for DIRECT. */
  reasons: z.array(z.string()),
  /** What the target looked like, for SWAP: a target that was altered since is not replaced by a copy of the old one. */
  fingerprint: z.string().nullable(),
  /** How rows are read back; null when this role may not see them. */
  readBack: readBack.nullable().default(null),
  /** Column of the parts with the id of the job, when they have one. */
  loadIdColumn: z.string().nullable().default(null),
});

export type PreparedPostgres = z.infer<typeof preparedPostgres>;

export function parsePrepared(prepared: unknown): PreparedPostgres {
  const parsed = preparedPostgres.safeParse(prepared);
  if (parsed.success) return parsed.data;
  throw new SluiceError('INTERNAL', 'The job holds no target that this version of the postgres sink can load.', {
    cause: parsed.error,
  });
}

/** The staging table of a job; 40 bytes for a UUID. */
export const stagingName = (jobId: string): string => STAGING_PREFIX + jobId.replaceAll('-', '');

/** Why rows cannot go straight into the target: what could refuse one when others are already visible. */
export function reasonsToStage(
  { mode, staged }: PostgresOptions,
  { target, key }: CheckedTarget,
  output: readonly Column[],
): readonly string[] {
  if (!target) return ['the table is created'];
  if (mode === 'REPLACE') return ['the rows replace all others'];
  const isKey = (columns: readonly string[]) =>
    columns.length === key.length && columns.every((name) => key.includes(name));
  const written = target.columns.filter((column) => output.some(({ name }) => name === column.name));
  return [
    ...(staged ? ['the option staged'] : []),
    ...target.hazards,
    ...target.uniqueKeys
      .filter(({ columns }) => !isKey(columns))
      .map(({ columns }) => `the unique key (${columns.join(', ')})`),
    ...(mode === 'UPSERT' && target.isReferenced ? ['foreign keys of other tables'] : []),
    ...written
      .filter((column) => column.isDomain || !column.proven)
      .map((column) => `the type ${column.nativeType} of "${column.name}"`),
    ...written
      .filter((column) => key.includes(column.name) && !column.exactEquality)
      .map((column) => `the equality of the key column "${column.name}"`),
  ];
}

/**
 * Whether the staging table is UNLOGGED: where the rows are copied once more anyway. A crash of the server empties
 * such tables without a word while the chunks stay LOADED, so one row lies beside in a table that is emptied with it.
 */
export const isUnlogged = (ending: Ending): boolean => ending === 'INSERT' || ending === 'REPLACE_ROWS';

/** The table of that one row. */
export const canaryName = (staging: string): string => `${staging}_alive`;
