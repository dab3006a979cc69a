import type { PoolClient } from 'pg';
import { quoteIdentifier, quoteLiteral } from '../column.js';
import { quoteTable } from './copy-part.js';
import type { PreparedPostgres } from './postgres-plan.js';
import { swapFingerprint, swapObstacles } from './postgres-swap-obstacles.js';
import { takeTurn, withLockTimeout } from './target-lock.js';

/** An index of the target, rebuilt on the staging table under a temporary name and renamed in the end. */
interface IndexCopy {
  readonly name: string;
  readonly temporaryName: string;
  /** For the index of a constraint: `PRIMARY KEY (id)`; else what follows `CREATE INDEX name ON table`. */
  readonly definition: string;
  readonly isConstraint: boolean;
  readonly isUnique: boolean;
  readonly comment: string | null;
  readonly constraintComment: string | null;
}

const DEPENDENTS_STILL_EXIST = '2BP01';

/**
 * Puts the staging table in the target's place: indexes are built before the target is locked, then the old table is
 * dropped and the new one gets its name, owner, privileges, comments and the names of its indexes. A reader that
 * waits for the lock finds the new table; one with an older REPEATABLE READ snapshot may find it empty, as after TRUNCATE.
 *
 * @returns false, with the staging table as it was, when the target can no longer be swapped
 */
export async function swapTables(client: PoolClient, prepared: PreparedPostgres, staging: string): Promise<boolean> {
  const { schema, table } = prepared;
  const target = quoteTable({ schema, name: table });
  const staged = quoteTable({ schema, name: staging });
  await takeTurn(client, prepared);
  await client.query('SAVEPOINT sluice_swap');
  try {
    const oid = await oidOf(client, prepared);
    if (oid === null || !(await isUnchanged(client, oid, prepared))) return await undo(client);
    const indexes = await indexesOf(client, oid, staging);
    for (const index of indexes) await client.query(createIndexSql(index, staged));
    for (const sql of await ownershipSql(client, oid, schema, staging)) await client.query(sql);
    const comments = await commentsSql(client, oid, staged);
    for (const sql of comments) await client.query(sql);
    await withLockTimeout(client, () => client.query(`LOCK TABLE ${target} IN ACCESS EXCLUSIVE MODE`));
    // Whoever held the lock before may have changed or replaced it.
    if ((await oidOf(client, prepared)) !== oid || !(await isUnchanged(client, oid, prepared)))
      return await undo(client);
    await client.query(`DROP TABLE ${target}`);
    await client.query(`ALTER TABLE ${staged} RENAME TO ${quoteIdentifier(table)}`);
    for (const sql of indexes.flatMap((index) => renameIndexSql(index, schema, target))) await client.query(sql);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === DEPENDENTS_STILL_EXIST) return undo(client);
    throw error;
  }
}

async function undo(client: PoolClient): Promise<false> {
  // Released, so that what is written next is written by the transaction itself.
  await client.query('ROLLBACK TO SAVEPOINT sluice_swap; RELEASE SAVEPOINT sluice_swap');
  return false;
}

async function oidOf(client: PoolClient, { schema, table }: PreparedPostgres): Promise<string | null> {
  const sql = `SELECT c.oid::text AS oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2`;
  return (await client.query<{ oid: string }>(sql, [schema, table])).rows[0]?.oid ?? null;
}

async function isUnchanged(client: PoolClient, oid: string, { fingerprint }: PreparedPostgres): Promise<boolean> {
  if ((await swapFingerprint(client, oid)) !== fingerprint) return false;
  return (await swapObstacles(client, oid)).length === 0;
}

const INDEXES_SQL = `
  SELECT ic.relname AS name, co.oid IS NOT NULL AS "isConstraint", i.indisunique AS "isUnique",
         CASE WHEN co.oid IS NOT NULL THEN pg_get_constraintdef(co.oid)
              ELSE substr(pg_get_indexdef(i.indexrelid), length(format('CREATE %sINDEX %I ON %I.%I ',
                          CASE WHEN i.indisunique THEN 'UNIQUE ' END, ic.relname, n.nspname, c.relname)) + 1)
         END AS definition,
         obj_description(ic.oid, 'pg_class') AS comment, obj_description(co.oid, 'pg_constraint') AS "constraintComment"
    FROM pg_index i
    JOIN pg_class ic ON ic.oid = i.indexrelid
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_constraint co ON co.conindid = i.indexrelid AND co.conrelid = i.indrelid AND co.contype IN ('p', 'u', 'x')
   WHERE i.indrelid = $1::oid
   ORDER BY i.indisprimary DESC, ic.relname`;

async function indexesOf(client: PoolClient, oid: string, staging: string): Promise<readonly IndexCopy[]> {
  const { rows } = await client.query<Omit<IndexCopy, 'temporaryName'>>(INDEXES_SQL, [oid]);
  return rows.map((row, i) => ({ ...row, temporaryName: `${staging}_${i}` }));
}

function createIndexSql({ temporaryName, definition, isConstraint, isUnique }: IndexCopy, table: string): string {
  const name = quoteIdentifier(temporaryName);
  if (isConstraint) return `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`;
  return `CREATE ${isUnique ? 'UNIQUE ' : ''}INDEX ${name} ON ${table} ${definition}`;
}

function renameIndexSql(index: IndexCopy, schema: string, table: string): readonly string[] {
  const { name, temporaryName, isConstraint, comment, constraintComment } = index;
  const [from, to] = [quoteIdentifier(temporaryName), quoteIdentifier(name)];
  const renamed = `${quoteIdentifier(schema)}.${to}`;
  return [
    isConstraint
      ? `ALTER TABLE ${table} RENAME CONSTRAINT ${from} TO ${to}`
      : `ALTER INDEX ${quoteIdentifier(schema)}.${from} RENAME TO ${to}`,
    ...(comment === null ? [] : [`COMMENT ON INDEX ${renamed} IS ${quoteText(comment)}`]),
    ...(constraintComment === null
      ? []
      : [`COMMENT ON CONSTRAINT ${to} ON ${table} IS ${quoteText(constraintComment)}`]),
  ];
}

/** A literal that is right whatever standard_conforming_strings says. */
const quoteText = (text: string) =>
  text.includes('\\') ? `E${quoteLiteral(text.replaceAll('\\', '\\\\'))}` : quoteLiteral(text);

const COMMENTS_SQL = `
  SELECT NULL AS "column", NULL AS "constraint", obj_description($1::oid, 'pg_class') AS text
  UNION ALL SELECT attname, NULL, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0
  UNION ALL SELECT NULL, conname, obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conrelid = $1::oid AND contype = 'c'`;

async function commentsSql(client: PoolClient, oid: string, table: string): Promise<readonly string[]> {
  type Row = { readonly column: string | null; readonly constraint: string | null; readonly text: string | null };
  const { rows } = await client.query<Row>(COMMENTS_SQL, [oid]);
  return rows.flatMap(({ column, constraint, text }) => {
    if (text === null) return [];
    const what =
      column !== null
        ? `COLUMN ${table}.${quoteIdentifier(column)}`
        : constraint !== null
          ? `CONSTRAINT ${quoteIdentifier(constraint)} ON ${table}`
          : `TABLE ${table}`;
    return [`COMMENT ON ${what} IS ${quoteText(text)}`];
  });
}

const PRIVILEGES_SQL = `
  SELECT c.oid = $1::oid AS "isTarget", pg_get_userbyid(c.relowner) AS owner, c.relacl IS NOT NULL AS "hasAcl",
         CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee,
         acl.privilege_type AS privilege, acl.is_grantable AS grantable
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN LATERAL aclexplode(c.relacl) acl ON true
   WHERE c.oid = $1::oid OR (n.nspname = $2 AND c.relname = $3)`;

interface PrivilegeRow {
  readonly isTarget: boolean;
  readonly owner: string;
  readonly hasAcl: boolean;
  readonly grantee: string;
  readonly privilege: string | null;
  readonly grantable: boolean;
}

/** Gives the staging table the target's owner and exactly its privileges, whatever the default privileges gave it. */
async function ownershipSql(
  client: PoolClient,
  oid: string,
  schema: string,
  staging: string,
): Promise<readonly string[]> {
  const { rows } = await client.query<PrivilegeRow>(PRIVILEGES_SQL, [oid, schema, staging]);
  const staged = quoteTable({ schema, name: staging });
  const wanted = rows.filter((row) => row.isTarget);
  const given = rows.filter((row) => !row.isTarget);
  const owner = quoteIdentifier(wanted[0]?.owner ?? '');
  const grants = wanted.flatMap(({ privilege, grantee, grantable }) =>
    privilege === null ? [] : [`GRANT ${privilege} ON ${staged} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''}`],
  );
  const grantees = new Set(given.flatMap((row) => (row.privilege === null ? [] : [row.grantee])));
  const changed = wanted[0]?.hasAcl === true || given[0]?.hasAcl === true;
  return [
    ...(wanted[0]?.owner === given[0]?.owner ? [] : [`ALTER TABLE ${staged} OWNER TO ${owner}`]),
    ...[...grantees].map((grantee) => `REVOKE ALL ON ${staged} FROM ${grantee}`),
    ...(changed
      ? [wanted[0]?.hasAcl ? `REVOKE ALL ON ${staged} FROM ${owner}` : `GRANT ALL ON ${staged} TO ${owner}`]
      : []),
    ...grants,
  ];
}
