import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';

// NAMEDATALEN - 1. The server cuts longer names without an error, and would load into another table.
const MAX_NAME_BYTES = 63;

export const fitsName = (name: string): boolean =>
  name !== '' && Buffer.byteLength(name) <= MAX_NAME_BYTES && !name.includes('\0');

const name = z
  .string()
  .refine(fitsName, `A name has 1 to ${MAX_NAME_BYTES} bytes in UTF-8 and no NUL; PostgreSQL would cut a longer one.`);

export const postgresOptions = z
  .strictObject({
    connection: z
      .string()
      .min(1)
      .default('default')
      .describe('Name of a connection in SLUICE_CONNECTIONS. Default "default": the database of Sluice itself.'),
    table: name.describe('Name of the table, in its exact case and without quotes.'),
    schema: name.default('public').describe('Schema of the table, in its exact case. Default "public".'),
    mode: z
      .enum(['APPEND', 'UPSERT', 'REPLACE'])
      .default('APPEND')
      .describe(
        'APPEND adds the rows; UPSERT updates rows with the same key and adds the others; REPLACE makes the rows the ' +
          'whole content, at once: readers see the old or the new. Default APPEND.',
      ),
    key: z
      .array(name)
      .max(32)
      .default([])
      .describe(
        'Columns that identify a row for UPSERT; a unique index must cover exactly them. Default: the primary key of ' +
          'the table. When a key stands more than once in the source, the last row wins.',
      ),
    createTable: z
      .boolean()
      .default(false)
      .describe('Create the table from the columns of the output when it does not exist. Default false.'),
    staged: z
      .boolean()
      .default(false)
      .describe(
        'Load the rows aside and bring them in at the end, all at once: before that readers see none of them, and a ' +
          'cancelled job leaves none behind. Writes every row twice. Default false: only where the target could refuse a row.',
      ),
    loadIdColumn: name
      .optional()
      .describe(
        'Column of the table, of type uuid or text and in its exact case, that says for every row which job wrote it last; ' +
          'a table that is created gets it. Its rows can be removed with the job (`cancelJob` with `rollback`), and be told ' +
          'from those of loads that are not complete. The output may not have it. Default: none.',
      ),
  })
  .superRefine(({ mode, key, loadIdColumn }, context) => {
    const duplicate = key.findIndex((column, i) => key.indexOf(column) !== i);
    if (duplicate >= 0) {
      context.addIssue({ code: 'custom', path: ['key', duplicate], message: `"${key[duplicate]}" is named twice.` });
    }
    const loadId = loadIdColumn === undefined ? -1 : key.indexOf(loadIdColumn);
    if (loadId >= 0) {
      const message = `"${loadIdColumn}" differs in every load, so it cannot be part of the key.`;
      context.addIssue({ code: 'custom', path: ['key', loadId], message });
    }
    if (mode !== 'UPSERT' && key.length > 0) {
      context.addIssue({
        code: 'custom',
        path: ['key'],
        message: `A key is for mode UPSERT; ${mode} does not use it.`,
      });
    }
  });

export type PostgresOptions = z.infer<typeof postgresOptions>;

/** Staging tables live beside their target under this name and the id of the job. */
export const STAGING_PREFIX = '_sluice_';

/** @throws SluiceError TARGET_NOT_ALLOWED for the places that belong to Sluice or the server */
export function refuseReserved({ schema, table }: PostgresOptions): void {
  if (schema === 'sluice' || schema === 'information_schema' || /^(sluice|pg)_/.test(schema)) {
    throw new SluiceError('TARGET_NOT_ALLOWED', `The schema "${schema}" is reserved; load into one of your own.`, {
      path: ['schema'],
    });
  }
  if (table.startsWith(STAGING_PREFIX)) {
    throw new SluiceError('TARGET_NOT_ALLOWED', `Names that begin with ${STAGING_PREFIX} are reserved.`, {
      path: ['table'],
    });
  }
}
