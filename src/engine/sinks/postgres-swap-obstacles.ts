import type { PoolClient } from 'pg';

/**
 * What a copy of the table would lack, or would break by the old table's end, in words. Each arm names one: what
 * `CREATE TABLE (LIKE ...)` and `swapTables` do not carry over, and objects of others that hold on to the table.
 * Of a column's options those count that ALTER TABLE can set; some servers keep notes of their own there.
 */
const OBSTACLES_SQL = `
  WITH t AS (
    SELECT c.*, ARRAY(SELECT indexrelid FROM pg_index WHERE indrelid = c.oid) AS indexes,
           ARRAY(SELECT oid FROM pg_type WHERE typrelid = c.oid
                 UNION SELECT typarray FROM pg_type WHERE typrelid = c.oid) AS types
      FROM pg_class c WHERE c.oid = $1::oid
  )
  SELECT what FROM t, LATERAL (
    SELECT 'it is no plain, permanent table' AS what WHERE t.relkind <> 'r' OR t.relpersistence <> 'p' OR t.reloftype <> 0
    UNION ALL SELECT 'this role does not own it' WHERE NOT pg_has_role(t.relowner, 'USAGE')
    UNION ALL SELECT 'its owner may not create tables in the schema'
      WHERE NOT has_schema_privilege(t.relowner, t.relnamespace, 'CREATE')
    UNION ALL SELECT 'it is part of an inheritance tree'
      WHERE t.relispartition OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = t.oid OR inhparent = t.oid)
    UNION ALL SELECT 'it has row level security'
      WHERE t.relrowsecurity OR t.relforcerowsecurity OR EXISTS (SELECT FROM pg_policy WHERE polrelid = t.oid)
    UNION ALL SELECT 'it has triggers' WHERE EXISTS (SELECT FROM pg_trigger WHERE tgrelid = t.oid AND NOT tgisinternal)
    UNION ALL SELECT 'it has rules' WHERE EXISTS (SELECT FROM pg_rewrite WHERE ev_class = t.oid)
    UNION ALL SELECT 'it is published' WHERE EXISTS (
      SELECT FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname
       WHERE n.oid = t.relnamespace AND p.tablename = t.relname)
    UNION ALL SELECT 'it has storage settings of its own'
      WHERE t.reloptions IS NOT NULL OR t.reltablespace <> 0 OR t.relreplident <> 'd'
         OR t.relam <> (SELECT oid FROM pg_am WHERE amname = current_setting('default_table_access_method'))
         OR EXISTS (SELECT FROM pg_class i WHERE i.oid = ANY (t.indexes) AND i.reltablespace <> 0)
         OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND (i.indisclustered OR NOT i.indisvalid))
         OR EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = t.oid)
    UNION ALL SELECT 'columns have settings, privileges or an identity of their own' WHERE EXISTS (
      SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
         AND (a.attacl IS NOT NULL OR a.attidentity <> '' OR coalesce(a.attstattarget, -1) <> -1
              OR EXISTS (SELECT FROM unnest(a.attoptions) o WHERE o LIKE 'n!_distinct%' ESCAPE '!')))
    UNION ALL SELECT 'it has foreign keys, or constraints that are not valid or not inherited' WHERE EXISTS (
      SELECT FROM pg_constraint WHERE conrelid = t.oid
         AND (contype NOT IN ('p', 'u', 'c', 'x', 'n') OR NOT convalidated OR (contype = 'c' AND connoinherit)))
    UNION ALL SELECT 'its privileges were granted by somebody else than its owner'
      WHERE EXISTS (SELECT FROM aclexplode(t.relacl) WHERE grantor <> t.relowner)
    UNION ALL SELECT 'it has a security label' WHERE EXISTS (SELECT FROM pg_seclabel WHERE objoid = t.oid)
    UNION ALL SELECT 'it belongs to an extension' WHERE EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = t.oid AND deptype IN ('e', 'x'))
    UNION ALL SELECT pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on it'
      FROM pg_depend d
     WHERE ((d.refclassid = 'pg_class'::regclass AND (d.refobjid = t.oid OR d.refobjid = ANY (t.indexes)))
         OR (d.refclassid = 'pg_type'::regclass AND d.refobjid = ANY (t.types))
         OR (d.refclassid = 'pg_constraint'::regclass
             AND d.refobjid IN (SELECT oid FROM pg_constraint WHERE conrelid = t.oid)))
       AND NOT (d.classid = 'pg_class'::regclass AND (d.objid = t.oid OR d.objid = ANY (t.indexes) OR d.objid = t.reltoastrelid))
       AND NOT (d.classid = 'pg_type'::regclass AND d.objid = ANY (t.types))
       AND NOT (d.classid = 'pg_attrdef'::regclass AND d.objid IN (SELECT oid FROM pg_attrdef WHERE adrelid = t.oid))
       AND NOT (d.classid = 'pg_trigger'::regclass
                AND d.objid IN (SELECT oid FROM pg_trigger WHERE tgrelid = t.oid AND tgisinternal))
       AND NOT (d.classid = 'pg_constraint'::regclass
                AND d.objid IN (SELECT oid FROM pg_constraint WHERE conrelid = t.oid AND contype <> 'f'))
  ) obstacle`;

/** Why the table cannot be replaced by another of the same shape; empty when it can. */
export async function swapObstacles(client: PoolClient, oid: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ what: string }>(OBSTACLES_SQL, [oid]);
  return rows.map((row) => row.what);
}

// Everything that the staging table was copied from, and the identity of the table itself.
const FINGERPRINT_SQL = `
  SELECT md5(concat_ws('|', c.oid, c.relowner, c.relacl,
    (SELECT string_agg(concat_ws(',', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attcollation,
                                 a.attgenerated, a.attstorage, pg_get_expr(d.adbin, d.adrelid)), ';' ORDER BY a.attnum)
       FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT string_agg(conname || pg_get_constraintdef(oid), ';' ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid),
    (SELECT string_agg(pg_get_indexdef(indexrelid), ';' ORDER BY indexrelid) FROM pg_index WHERE indrelid = c.oid)
  )) AS fingerprint FROM pg_class c WHERE c.oid = $1::oid`;

/** Changes with the structure, owner and privileges of the table, not with its rows. */
export async function swapFingerprint(client: PoolClient, oid: string): Promise<string | null> {
  const { rows } = await client.query<{ fingerprint: string }>(FINGERPRINT_SQL, [oid]);
  return rows[0]?.fingerprint ?? null;
}
