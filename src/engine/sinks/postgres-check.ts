import type { PoolClient } from 'pg';
import { SluiceError } from '../../core/errors.js';
import { type Column, quoteIdentifier } from '../column.js';
import { quoteTable } from './copy-part.js';
import { loadIdProblems } from './postgres-load-id.js';
import { fitsName, type PostgresOptions } from './postgres-options.js';
import { type Problem, throwProblems } from './postgres-problems.js';
import {
  type PostgresSchema,
  type PostgresTarget,
  readSchema,
  readTarget,
  schemaNames,
  tableNames,
} from './postgres-target.js';
import { didYouMean } from './similar-names.js';

/** The target as it stands, checked: null when it will be created. `key` is empty but for UPSERT. */
export interface CheckedTarget {
  readonly target: PostgresTarget | null;
  readonly schema: PostgresSchema;
  readonly key: readonly string[];
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
  i: 'an index',
  I: 'an index',
  c: 'a composite type',
};

/**
 * Reads the target and holds the output against it.
 * @throws SluiceError TARGET_NOT_FOUND, TARGET_NOT_ALLOWED, TARGET_INCOMPATIBLE, UNKNOWN_COLUMN
 */
export async function checkTarget(
  client: PoolClient,
  options: PostgresOptions,
  output: readonly Column[],
): Promise<CheckedTarget> {
  const schema = await readSchema(client, options.schema);
  if (!schema) {
    const hint = didYouMean(options.schema, await schemaNames(client));
    throw new SluiceError('TARGET_NOT_FOUND', `There is no schema "${options.schema}".${hint}`, { path: ['schema'] });
  }
  const target = await readTarget(client, { schema: options.schema, name: options.table });
  if (!target) {
    if (!options.createTable) throw await missingTable(client, options);
    throwProblems([...outputProblems(output), ...creationProblems(options, schema, output)]);
    return { target, schema, key: options.key };
  }
  const kind = KINDS[target.kind];
  if (kind) {
    throw new SluiceError('TARGET_NOT_ALLOWED', `${nameOf(options)} is ${kind}; rows can be loaded into tables only.`, {
      path: ['table'],
    });
  }
  const key = keyOf(options, target);
  throwProblems([
    ...outputProblems(output),
    ...loadIdProblems(options, target),
    ...privilegeProblems(options, schema, target, output, key),
    ...columnProblems(options, target, output),
    ...keyProblems(options, target, output, key),
  ]);
  return { target, schema, key };
}

const nameOf = ({ schema, table }: PostgresOptions) => `"${schema}"."${table}"`;
const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');
const sameSet = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((x) => b.includes(x));

function keyOf({ mode, key }: PostgresOptions, target: PostgresTarget): readonly string[] {
  if (mode !== 'UPSERT' || key.length > 0) return key;
  return target.uniqueKeys.find((unique) => unique.isPrimary)?.columns ?? [];
}

async function missingTable(client: PoolClient, options: PostgresOptions): Promise<SluiceError> {
  const hint = didYouMean(options.table, await tableNames(client, options.schema));
  const message = `There is no table ${nameOf(options)}; create it, or set createTable.${hint}`;
  return new SluiceError('TARGET_NOT_FOUND', message, { path: ['table'] });
}

function outputProblems(output: readonly Column[]): Problem[] {
  const incompatible = (column: string | null, message: string): Problem => ({
    code: 'TARGET_INCOMPATIBLE',
    column,
    message,
  });
  const names = output.map((column) => column.name);
  return [
    ...(names.length === 0 ? [incompatible(null, 'The output has no columns.')] : []),
    ...names
      .filter((name, i) => names.indexOf(name) !== i)
      .map((name) => incompatible(name, `The output has the column "${name}" twice.`)),
  ];
}

const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);
// "Appendix K. PostgreSQL Limits".
const MAX_COLUMNS = 1600;

function creationProblems(options: PostgresOptions, schema: PostgresSchema, output: readonly Column[]): Problem[] {
  const problems: Problem[] = [];
  const add = (code: Problem['code'], column: string | null, message: string, path?: Problem['path']) =>
    problems.push({ code, column, message, ...(path && { path }) });
  if (!schema.mayUse || !schema.mayCreate) {
    add('TARGET_NOT_ALLOWED', null, `This role may not create tables in the schema "${options.schema}".`, ['schema']);
  }
  if (output.length > MAX_COLUMNS) add('TARGET_INCOMPATIBLE', null, `A table has at most ${MAX_COLUMNS} columns.`);
  for (const { name } of output) {
    if (!fitsName(name))
      add('TARGET_INCOMPATIBLE', name, `The column name "${name}" is longer than 63 bytes; rename it.`);
    if (SYSTEM_COLUMNS.has(name))
      add('TARGET_INCOMPATIBLE', name, `PostgreSQL keeps the column name "${name}" for itself.`);
  }
  if (options.mode === 'UPSERT' && options.key.length === 0) {
    add('TARGET_INCOMPATIBLE', null, 'UPSERT into a table that is created needs a key.', ['key']);
  }
  return [...problems, ...missingKeyColumns(output, options.key)];
}

function missingKeyColumns(output: readonly Column[], key: readonly string[]): Problem[] {
  const names = output.map((column) => column.name);
  return key
    .filter((name) => !names.includes(name))
    .map((name) => ({
      code: 'UNKNOWN_COLUMN',
      column: name,
      message: `The key column "${name}" is not in the output.${didYouMean(name, names)}`,
      path: ['key'],
    }));
}

function privilegeProblems(
  options: PostgresOptions,
  schema: PostgresSchema,
  target: PostgresTarget,
  output: readonly Column[],
  key: readonly string[],
): Problem[] {
  const written = target.columns.filter((column) => output.some(({ name }) => name === column.name));
  const upsert = options.mode === 'UPSERT';
  const lacking = [
    ...(schema.mayUse ? [] : [`USAGE on the schema "${options.schema}"`]),
    ...(written.every((column) => column.mayInsert) ? [] : ['INSERT']),
    ...(upsert && !written.every((column) => column.mayUpdate || key.includes(column.name)) ? ['UPDATE'] : []),
    ...(upsert && !written.every((column) => column.maySelect) ? ['SELECT'] : []),
    ...(upsert && !schema.mayCreateTemporary ? ['TEMPORARY on the database'] : []),
    ...(options.mode === 'REPLACE' && !target.mayDelete ? ['DELETE'] : []),
  ];
  if (lacking.length === 0) return [];
  const message = `This role may not ${options.mode.toLowerCase()} into ${nameOf(options)}: it lacks ${lacking.join(', ')}.`;
  return [{ code: 'TARGET_NOT_ALLOWED', column: null, message, path: ['table'] }];
}

function columnProblems(options: PostgresOptions, target: PostgresTarget, output: readonly Column[]): Problem[] {
  const problem = (column: string, message: string): Problem => ({ code: 'TARGET_INCOMPATIBLE', column, message });
  const table = nameOf(options);
  const names = target.columns.map((column) => column.name);
  const unknown = output
    .filter(({ name }) => !names.includes(name) && name !== options.loadIdColumn)
    .map(({ name }) => problem(name, `${table} has no column "${name}".${didYouMean(name, names)}`));
  const refused = target.columns.flatMap((column) => {
    const isWritten = output.some(({ name }) => name === column.name);
    if (isWritten && column.generated) {
      return [problem(column.name, `The column "${column.name}" of ${table} is generated; drop it from the output.`)];
    }
    if (!isWritten && column.notNull && !column.hasDefault) {
      return [problem(column.name, `The column "${column.name}" of ${table} is NOT NULL and not in the output.`)];
    }
    return [];
  });
  return [...unknown, ...refused];
}

function keyProblems(
  options: PostgresOptions,
  target: PostgresTarget,
  output: readonly Column[],
  key: readonly string[],
): Problem[] {
  if (options.mode !== 'UPSERT') return [];
  const table = quoteTable({ schema: options.schema, name: options.table });
  const problem = (message: string): Problem => ({ code: 'TARGET_INCOMPATIBLE', column: null, message, path: ['key'] });
  if (key.length === 0) {
    return [problem(`UPSERT needs a key, for ${nameOf(options)} has no primary key: name its columns in \`key\`.`)];
  }
  const missing = missingKeyColumns(output, key);
  const unknown = key.filter((name) => !target.columns.some((column) => column.name === name));
  if (unknown.length > 0)
    return [...missing, problem(`${nameOf(options)} has no column ${list(unknown)} for the key.`)];
  if (target.uniqueKeys.some((unique) => sameSet(unique.columns, key))) return missing;
  const alter = `ALTER TABLE ${table} ADD UNIQUE (${key.map(quoteIdentifier).join(', ')})`;
  return [
    ...missing,
    problem(`No unique index of ${nameOf(options)} covers exactly ${list(key)}; this would do: ${alter}.`),
  ];
}
