import type { PoolClient } from 'pg';
import { type Column, quoteIdentifier } from '../column.js';
import { quoteTable } from './copy-part.js';
import { type CheckedTarget, checkTarget } from './postgres-check.js';
import type { PostgresOptions } from './postgres-options.js';
import {
  canaryName,
  type Ending,
  isUnlogged,
  type PreparedPostgres,
  reasonsToStage,
  stagingName,
} from './postgres-plan.js';
import { throwProblems } from './postgres-problems.js';
import { swapFingerprint, swapObstacles } from './postgres-swap-obstacles.js';
import { createdTypeOf } from './postgres-types.js';
import type { ReadBack } from './recheck/read-back.js';

/**
 * Checks the target, and that this role may stage beside it where the rows have to be staged.
 * @throws SluiceError what `checkTarget` throws
 */
export async function inspectTarget(
  client: PoolClient,
  options: PostgresOptions,
  output: readonly Column[],
): Promise<CheckedTarget & { readonly reasons: readonly string[] }> {
  const checked = await checkTarget(client, options, output);
  const reasons = reasonsToStage(options, checked, output);
  if (reasons.length > 0 && !checked.schema.mayCreate) {
    const message =
      `The rows must be staged in the schema "${options.schema}" (because of ${reasons.join(', ')}), ` +
      'and this role may not create tables there: grant it CREATE on the schema.';
    throwProblems([{ code: 'TARGET_NOT_ALLOWED', column: null, message, path: ['schema'] }]);
  }
  return { ...checked, reasons };
}

/** Decides how the rows become visible and makes an empty staging table when they are staged. */
export async function prepareTarget(
  client: PoolClient,
  options: PostgresOptions,
  jobId: string,
  output: readonly Column[],
): Promise<PreparedPostgres> {
  const checked = await inspectUnswapped(client, options, output);
  const { ending, reasons } = await endingOf(client, options, checked);
  const staging = ending === 'DIRECT' ? null : stagingName(jobId);
  if (staging) {
    const canary = quoteTable({ schema: options.schema, name: canaryName(staging) });
    await client.query(`DROP TABLE IF EXISTS ${quoteTable({ schema: options.schema, name: staging })}, ${canary}`);
    await client.query(stagingSql(ending, options, staging, checked, output));
    if (isUnlogged(ending)) await client.query(`CREATE UNLOGGED TABLE ${canary} AS SELECT true AS alive`);
  }
  return {
    schema: options.schema,
    table: options.table,
    mode: options.mode,
    columns: output.map((column) => column.name),
    key: [...checked.key],
    ending,
    staging,
    reasons: [...reasons],
    readBack: readBackOf(checked, ending, output, options),
    loadIdColumn: options.loadIdColumn ?? null,
    fingerprint: ending === 'SWAP' && checked.target ? await swapFingerprint(client, checked.target.oid) : null,
  };
}

function readBackOf(
  { target, key }: CheckedTarget,
  ending: Ending,
  output: readonly Column[],
  { mode, loadIdColumn }: PostgresOptions,
): ReadBack | null {
  const isOwn = ending === 'CREATE' || ending === 'SWAP';
  const known = new Map(target?.columns.map((column) => [column.name, column]));
  const isSeen = !target?.hidesRows && output.every(({ name }) => known.get(name)?.maySelect !== false);
  if (!isOwn && !isSeen) return null;
  const names = output.map(({ name }) => name);
  const unique = target?.uniqueKeys.find(({ columns }) => columns.every((name) => names.includes(name)));
  return {
    columns: output.map(({ name, type }) => {
      const column = known.get(name);
      // A row that an UPSERT finds unchanged keeps the id of the load that wrote it.
      const ignored = mode === 'UPSERT' && name === loadIdColumn;
      // All types that tables are created with can be compared.
      if (!column) return { type: createdTypeOf(type).replace(/\(.*/, ''), comparable: true, ignored };
      return { type: column.baseType, comparable: column.comparable, ignored };
    }),
    key: [...(key.length > 0 ? key : (unique?.columns ?? []))],
  };
}

/** A table that another job swaps while its structure is copied would be half seen: it is held until the commit. */
async function inspectUnswapped(client: PoolClient, options: PostgresOptions, output: readonly Column[]) {
  const checked = await inspectTarget(client, options, output);
  if (options.mode !== 'REPLACE' || !checked.target?.isOwner) return checked;
  await client.query(`LOCK TABLE ${quoteTable({ schema: options.schema, name: options.table })} IN ACCESS SHARE MODE`);
  return inspectTarget(client, options, output);
}

async function endingOf(
  client: PoolClient,
  options: PostgresOptions,
  { target, reasons }: CheckedTarget & { readonly reasons: readonly string[] },
): Promise<{ ending: Ending; reasons: readonly string[] }> {
  if (!target) return { ending: 'CREATE', reasons };
  if (reasons.length === 0) return { ending: 'DIRECT', reasons };
  if (options.mode !== 'REPLACE') return { ending: 'INSERT', reasons };
  const obstacles = await swapObstacles(client, target.oid);
  return { ending: obstacles.length === 0 ? 'SWAP' : 'REPLACE_ROWS', reasons: [...reasons, ...obstacles] };
}

function stagingSql(
  ending: Ending,
  { schema, table }: PostgresOptions,
  staging: string,
  { target }: CheckedTarget,
  output: readonly Column[],
): string {
  const name = quoteTable({ schema, name: staging });
  if (ending === 'SWAP') {
    const like = quoteTable({ schema, name: table });
    const parts = ['DEFAULTS', 'CONSTRAINTS', 'GENERATED', 'STORAGE', 'COMPRESSION'].map((part) => `INCLUDING ${part}`);
    return `CREATE TABLE ${name} (LIKE ${like} ${parts.join(' ')})`;
  }
  const types = new Map(target?.columns.map((column) => [column.name, column.nativeType]));
  const columns = output.map((column) => {
    const type = types.get(column.name) ?? createdTypeOf(column.type);
    return `${quoteIdentifier(column.name)} ${type}`;
  });
  return `CREATE ${isUnlogged(ending) ? 'UNLOGGED ' : ''}TABLE ${name} (${columns.join(', ')})`;
}
