import type { PoolClient } from 'pg';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier } from '../column.js';
import { quoteTable } from './copy-part.js';
import { asTargetErrors } from './postgres-errors.js';
import { insertSql } from './postgres-insert.js';
import { indexLoadIdSql } from './postgres-load-id.js';
import { canaryName, isUnlogged, type PreparedPostgres } from './postgres-plan.js';
import { recheckPublished } from './postgres-recheck.js';
import { swapTables } from './postgres-swap.js';
import type { LoadedRows, Recheck, SinkTransaction } from './sink.js';
import { takeTurn, withLockTimeout } from './target-lock.js';

const DUPLICATE_TABLE = '42P07';
const UNIQUE_VIOLATION = '23505';

/**
 * Makes the staged rows visible, in the finishing transaction, which shows all of them or none.
 * @returns what a re-check of the rows says that were inserted; null when the staging table has become the target
 * @throws SluiceError CONSTRAINT_VIOLATION, TARGET_INCOMPATIBLE, TARGET_NOT_FOUND, STAGED_ROWS_LOST; the server's 55P03 when another
 *   session holds the target for long
 */
export function publishTarget(
  tx: SinkTransaction,
  prepared: PreparedPostgres,
  loaded: LoadedRows,
): Promise<Recheck | null> {
  const { client } = tx;
  const { schema, staging, ending } = prepared;
  if (staging === null) return Promise.resolve(null);
  return asTargetErrors(prepared, async () => {
    if (!(await exists(client, schema, staging))) {
      throw new SluiceError('STAGED_ROWS_LOST', `The staging table "${schema}"."${staging}" is gone.`);
    }
    const taken =
      (ending === 'CREATE' && (await create(client, prepared, staging))) ||
      (ending === 'SWAP' && (await swapTables(client, prepared, staging)));
    // A deferred constraint is to fail here, as ours, and not at the commit.
    const settle = () => client.query('SET CONSTRAINTS ALL IMMEDIATE');
    if (taken) {
      await settle();
      return null;
    }
    return recheckPublished(tx, prepared, loaded, async () => {
      const rows = await insertStaged(client, prepared, staging);
      await settle();
      return rows;
    });
  });
}

/** Removes the staging table if it is still there. */
export async function discardStaging(client: PoolClient, { schema, staging }: PreparedPostgres): Promise<void> {
  if (staging === null) return;
  const tables = [staging, canaryName(staging)].map((name) => quoteTable({ schema, name }));
  await client.query(`DROP TABLE IF EXISTS ${tables.join(', ')}`);
}

async function exists(client: PoolClient, schema: string, table: string): Promise<boolean> {
  const sql =
    'SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2';
  return (await client.query(sql, [schema, table])).rows.length > 0;
}

/** @returns rows that the server says it has written */
async function insertStaged(client: PoolClient, prepared: PreparedPostgres, staging: string): Promise<number> {
  const { schema, table, mode, ending } = prepared;
  const target = quoteTable({ schema, name: table });
  if (isUnlogged(ending)) await refuseLostRows(client, schema, staging);
  if (mode === 'REPLACE') {
    // Other writers wait, so that the content is exactly one load's; readers go on and see the old rows.
    await withLockTimeout(client, () => client.query(`LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`));
    await client.query(`DELETE FROM ${(await isPartitioned(client, prepared)) ? '' : 'ONLY '}${target}`);
  }
  const { rowCount } = await client.query(insertSql(prepared, { schema, name: staging }));
  await discardStaging(client, prepared);
  return rowCount ?? 0;
}

async function refuseLostRows(client: PoolClient, schema: string, staging: string): Promise<void> {
  const { rowCount } = await client.query(`SELECT FROM ${quoteTable({ schema, name: canaryName(staging) })}`);
  if (rowCount === 1) return;
  throw new SluiceError(
    'STAGED_ROWS_LOST',
    'The PostgreSQL server crashed and has lost the rows that were loaded aside.',
  );
}

async function isPartitioned(client: PoolClient, { schema, table }: PreparedPostgres): Promise<boolean> {
  const sql = `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'`;
  return (await client.query(sql, [schema, table])).rows.length > 0;
}

/** Renames the staging table to the target. @returns false when somebody has created the target meanwhile */
async function create(client: PoolClient, prepared: PreparedPostgres, staging: string): Promise<boolean> {
  const { schema, table, key, loadIdColumn } = prepared;
  // Jobs that create one table take turns; whoever comes second finds it and inserts.
  await takeTurn(client, { schema, table });
  if (await exists(client, schema, table)) return false;
  await client.query('SAVEPOINT sluice_create');
  try {
    await client.query(`ALTER TABLE ${quoteTable({ schema, name: staging })} RENAME TO ${quoteIdentifier(table)}`);
  } catch (error) {
    if (!isTaken(error)) throw error;
    // Somebody who is not Sluice was faster.
    // Released, so that what is written next is written by the transaction itself.
    await client.query('ROLLBACK TO SAVEPOINT sluice_create; RELEASE SAVEPOINT sluice_create');
    return false;
  }
  if (key.length > 0) {
    const columns = key.map(quoteIdentifier).join(', ');
    await client.query(`ALTER TABLE ${quoteTable({ schema, name: table })} ADD PRIMARY KEY (${columns})`);
  }
  if (loadIdColumn !== null) await client.query(indexLoadIdSql({ schema, name: table }, loadIdColumn));
  return true;
}

function isTaken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === DUPLICATE_TABLE || code === UNIQUE_VIOLATION;
}
