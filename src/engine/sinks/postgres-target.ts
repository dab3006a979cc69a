import type { PoolClient } from 'pg';
import { SluiceError } from '../../core/errors.js';
import type { TableName } from './copy-part.js';
import { type EngineType, engineTypeOf } from './postgres-types.js';

export interface PostgresColumn extends EngineType {
  readonly name: string;
  /** As `format_type` prints it. */
  readonly nativeType: string;
  /** The same without domain, length and precision. */
  readonly baseType: string;
  /** Whether values can be compared with `=`, and sorted by it. */
  readonly comparable: boolean;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  /** GENERATED ALWAYS, as expression or identity: may not be written. */
  readonly generated: boolean;
  readonly isDomain: boolean;
  /** False where two different texts can be equal to the server: citext, char(n), some collations, text forms. */
  readonly exactEquality: boolean;
  readonly labels: readonly string[] | null;
  readonly mayInsert: boolean;
  readonly mayUpdate: boolean;
  readonly maySelect: boolean;
}

export interface UniqueKey {
  readonly columns: readonly string[];
  readonly isPrimary: boolean;
}

/** A table that stands, as far as a load has to know it. */
export interface PostgresTarget {
  readonly oid: string;
  /** `pg_class.relkind`. */
  readonly kind: string;
  readonly columns: readonly PostgresColumn[];
  /** Unique indexes that `ON CONFLICT (columns)` can use. */
  readonly uniqueKeys: readonly UniqueKey[];
  /** What may refuse rows besides the keys above, in words: `the CHECK constraint "positive"`. */
  readonly hazards: readonly string[];
  /** Foreign keys of other tables on this one: they refuse updates and deletes, not inserts. */
  readonly isReferenced: boolean;
  readonly mayDelete: boolean;
  /** Row level security is in force: rows that were written may not be seen. */
  readonly hidesRows: boolean;
  /** Member of the owning role: may drop and rename. */
  readonly isOwner: boolean;
}

export interface PostgresSchema {
  readonly mayUse: boolean;
  readonly mayCreate: boolean;
  /** Whether this role may make temporary tables in the database. */
  readonly mayCreateTemporary: boolean;
}

const SCHEMA_SQL = `
  SELECT has_schema_privilege(oid, 'USAGE') AS "mayUse", has_schema_privilege(oid, 'CREATE') AS "mayCreate",
         has_database_privilege(current_database(), 'TEMPORARY') AS "mayCreateTemporary"
    FROM pg_namespace WHERE nspname = $1`;

/** null when there is no such schema. */
export async function readSchema(client: PoolClient, schema: string): Promise<PostgresSchema | null> {
  const { rows } = await client.query<PostgresSchema>(SCHEMA_SQL, [schema]);
  return rows[0] ?? null;
}

/** Names a misspelt schema or table may have meant. */
export async function schemaNames(client: PoolClient): Promise<readonly string[]> {
  const sql = `SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^(pg_|sluice)' ORDER BY 1 LIMIT 1000`;
  return (await client.query<{ name: string }>(sql)).rows.map((row) => row.name);
}

export async function tableNames(client: PoolClient, schema: string): Promise<readonly string[]> {
  const sql = `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY 1 LIMIT 1000`;
  return (await client.query<{ name: string }>(sql, [schema])).rows.map((row) => row.name);
}

const TABLE_SQL = `
  SELECT c.oid::text AS oid, c.relkind AS kind, row_security_active(c.oid) AS "hidesRows",
         has_table_privilege(c.oid, 'DELETE') AS "mayDelete", pg_has_role(c.relowner, 'USAGE') AS "isOwner",
         EXISTS (SELECT FROM pg_constraint WHERE confrelid = c.oid AND contype = 'f') AS "isReferenced",
         array_remove(ARRAY[
           CASE WHEN c.relkind = 'p' THEN 'partitions that may not cover every row' END,
           CASE WHEN c.relispartition THEN 'the bounds of the partition' END,
           CASE WHEN row_security_active(c.oid) THEN 'row level security' END,
           CASE WHEN current_setting('server_encoding') <> 'UTF8'
                THEN 'the database encoding ' || current_setting('server_encoding') END
         ], NULL)
         || ARRAY(SELECT 'the constraint ' || quote_ident(conname) FROM pg_constraint
                   WHERE conrelid = c.oid AND contype IN ('c', 'f', 'x') ORDER BY conname)
         || ARRAY(SELECT 'the trigger ' || quote_ident(tgname) FROM pg_trigger
                   WHERE tgrelid = c.oid AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgname)
         || ARRAY(SELECT 'the rule ' || quote_ident(rulename) FROM pg_rewrite WHERE ev_class = c.oid ORDER BY rulename)
           AS hazards
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2`;

// A domain's own modifier and NOT NULL count as the column's, through domains over domains.
const COLUMNS_SQL = `
  WITH RECURSIVE base AS (
    SELECT a.attnum, a.atttypid AS typid, a.atttypmod AS typmod, false AS "notNull", 0 AS depth
      FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT base.attnum, t.typbasetype, t.typtypmod, base."notNull" OR t.typnotnull, base.depth + 1
      FROM base JOIN pg_type t ON t.oid = base.typid AND t.typtype = 'd'
  )
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS "nativeType", format_type(t.oid, -1) AS "baseType",
         t.typtype = 'e' OR EXISTS (
           SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
            WHERE o.opcdefault AND (o.opcintype = t.oid OR EXISTS (
              SELECT FROM pg_cast WHERE castsource = t.oid AND casttarget = o.opcintype AND castmethod = 'b' AND castcontext = 'i'))
         ) AS comparable,
         a.attnotnull OR base."notNull" AS "notNull",
         a.atthasdef OR a.attidentity <> '' OR EXISTS (
           SELECT FROM pg_type d WHERE d.oid = a.atttypid AND d.typdefault IS NOT NULL) AS "hasDefault",
         a.attgenerated <> '' OR a.attidentity = 'a' AS generated, a.attgenerated <> '' AS computed,
         base.depth > 0 AS "isDomain",
         t.typname AS "typeName", t.typnamespace = 'pg_catalog'::regnamespace AS "builtIn",
         t.typtype = 'e' AS "isEnum", base.typmod AS modifier,
         coalesce(co.collisdeterministic, true) AS deterministic,
         CASE WHEN t.typtype = 'e'
              THEN ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) END AS labels,
         has_column_privilege(a.attrelid, a.attnum, 'INSERT') AS "mayInsert",
         has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS "mayUpdate",
         has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS "maySelect"
    FROM pg_attribute a
    JOIN base ON base.attnum = a.attnum
    JOIN pg_type t ON t.oid = base.typid AND t.typtype <> 'd'
    LEFT JOIN pg_collation co ON co.oid = a.attcollation
   WHERE a.attrelid = $1::oid
   ORDER BY a.attnum`;

interface ColumnRow {
  readonly name: string;
  readonly nativeType: string;
  readonly baseType: string;
  readonly comparable: boolean;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly generated: boolean;
  readonly computed: boolean;
  readonly isDomain: boolean;
  readonly typeName: string;
  readonly builtIn: boolean;
  readonly isEnum: boolean;
  readonly modifier: number;
  readonly deterministic: boolean;
  readonly labels: readonly string[] | null;
  readonly mayInsert: boolean;
  readonly mayUpdate: boolean;
  readonly maySelect: boolean;
}

const FUZZY_TYPES = new Set(['citext', 'bpchar', 'numeric']);

function columnOf({
  typeName,
  builtIn,
  isEnum,
  modifier,
  deterministic,
  computed: _,
  ...row
}: ColumnRow): PostgresColumn {
  const engineType = engineTypeOf({ name: typeName, builtIn, isEnum, modifier });
  const fuzzy = FUZZY_TYPES.has(typeName) && !engineType.type.startsWith('DECIMAL');
  return { ...row, ...engineType, exactEquality: engineType.proven && deterministic && !fuzzy };
}

// An entry of more than some 2,700 bytes does not fit into a btree page, so an index on unbounded text can refuse rows.
const INDEXES_SQL = `
  SELECT ic.relname AS name, i.indisunique AS "isUnique", i.indisprimary AS "isPrimary",
         i.indimmediate AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL AND NOT i.indisexclusion AS plain,
         coalesce(k.names, '{}') AS columns, coalesce(k.bytes > 2600, false) OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL AS hazard
    FROM pg_index i
    JOIN pg_class ic ON ic.oid = i.indexrelid
    LEFT JOIN LATERAL (
      SELECT array_agg(a.attname::text ORDER BY at.ord) FILTER (WHERE at.ord <= i.indnkeyatts) AS names,
             sum(CASE WHEN a.attlen > 0 THEN a.attlen
                      WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4 THEN a.atttypmod::bigint * 4
                      WHEN a.atttypid = 'numeric'::regtype AND a.atttypmod > 4 THEN 600
                      ELSE 100000 END) AS bytes
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS at(num, ord)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = at.num) k ON true
   WHERE i.indrelid = $1::oid
   ORDER BY i.indisprimary DESC, ic.relname`;

interface IndexRow {
  readonly name: string;
  readonly isUnique: boolean;
  readonly isPrimary: boolean;
  readonly plain: boolean;
  readonly columns: readonly string[];
  readonly hazard: boolean;
}

type TableRow = Pick<
  PostgresTarget,
  'oid' | 'kind' | 'hazards' | 'isReferenced' | 'mayDelete' | 'hidesRows' | 'isOwner'
>;

// A table that another job replaces between two of the queries; once more is enough, more is a storm of swaps.
const MAX_READS = 5;

/** The relation of exactly that name, whatever it is; null when there is none. */
export async function readTarget(client: PoolClient, { schema, name }: TableName): Promise<PostgresTarget | null> {
  const read = async () => (await client.query<TableRow>(TABLE_SQL, [schema, name])).rows[0];
  let table = await read();
  for (let i = 0; table && i < MAX_READS; i++) {
    const target = await readRest(client, table);
    const after = await read();
    if (after?.oid === table.oid) return target;
    table = after;
  }
  if (!table) return null;
  throw new SluiceError('UNAVAILABLE', `The table "${schema}"."${name}" is being replaced again and again; try again.`);
}

async function readRest(client: PoolClient, table: TableRow): Promise<PostgresTarget> {
  const columns = (await client.query<ColumnRow>(COLUMNS_SQL, [table.oid])).rows;
  const indexes = (await client.query<IndexRow>(INDEXES_SQL, [table.oid])).rows;
  const unique = indexes.filter((index) => index.isUnique && index.plain);
  return {
    ...table,
    columns: columns.map(columnOf),
    uniqueKeys: unique.map((index) => ({ columns: index.columns, isPrimary: index.isPrimary })),
    hazards: [
      ...table.hazards,
      ...columns.filter((column) => column.computed).map((column) => `the computed column "${column.name}"`),
      ...indexes
        .filter((index) => (index.isUnique && !index.plain) || index.hazard)
        .map((index) => `the index "${index.name}"`),
    ],
  };
}
