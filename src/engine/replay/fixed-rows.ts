import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError, UserErrors } from '../../core/errors.js';
import { type Column, quoteIdentifier as q, quoteLiteral } from '../column.js';
import type { FixRequest } from '../engine.js';
import { fates, reasonsText } from '../evaluate/fate.js';
import { HIDDEN_PREFIX, Relation, ROW_NUMBER } from '../relation.js';
import type { Session } from '../session.js';
import { shapeOf } from '../sources/infer-fields.js';
import { deriveStep } from '../transforms/derive.js';
import { requireColumn } from '../transforms/step.js';
import type { Fix } from './fix.js';
import { isJsonValue, readQuarantined } from './quarantined-source.js';

/** Table of the fixed rows: id, revision, doc, and the reasons why a row could not be fixed. */
export const FIXED = 'sluice_fixed';

const REVISION = `${HIDDEN_PREFIX}revision`;
/** The record as it was read, each column as JSON. */
const FIELDS = `${HIDDEN_PREFIX}fields`;
const TEXTS = `${HIDDEN_PREFIX}texts`;

/** Lays the rows down and makes the fixed ones of them, in `FIXED`. @throws UserErrors with paths in the fix */
export async function makeFixedRows(session: Session, request: FixRequest, directory: string): Promise<void> {
  const path = join(directory, 'rows.csv');
  await request.layRows(path);
  const select =
    request.fix.kind === 'ROWS'
      ? await patched(request, request.fix, path, directory)
      : await recomputed(session, request, request.fix, path);
  await session.run(`CREATE TABLE ${FIXED} AS ${select}`);
}

/** Every column of a record as JSON, as it is written. */
const asJson = (columns: readonly Column[]): string => shapeOf(columns.map(({ name }) => ({ name, as: 'JSON' })));

const record = (columns: readonly Column[], jsonOf: (column: Column) => string): string =>
  `CAST(json_object(${columns.map((column) => `${quoteLiteral(column.name)}, ${jsonOf(column)}`).join(', ')}) AS VARCHAR)`;

/** Rows in which some columns have the values that somebody gave; a record that was no record begins empty. */
async function patched(
  { columns }: FixRequest,
  { rows }: Extract<Fix, { kind: 'ROWS' }>,
  path: string,
  directory: string,
): Promise<string> {
  const file = join(directory, 'patches.ndjson');
  const lines = rows.map(({ id, values }) => JSON.stringify({ id, values }));
  const longest = Math.max(...lines.map((line) => Buffer.byteLength(line)));
  await writeFile(file, `${lines.join('\n')}\n`);
  const shape = asJson(columns);
  const doc = record(columns, ({ name }) => {
    const isGiven = `list_contains(keys, ${quoteLiteral(name)})`;
    return `CASE WHEN ${isGiven} THEN patch.${q(name)} ELSE ${q(FIELDS)}.${q(name)} END`;
  });
  return `SELECT id, revision, ${doc} AS doc, NULL::JSON AS reasons FROM (
    SELECT laid.id, laid.revision, json_transform(coalesce(laid.doc, '{}'), ${shape}) AS ${q(FIELDS)},
      json_transform(given.values, ${shape}) AS patch, json_keys(given.values) AS keys
    FROM ${readQuarantined(path)} AS laid JOIN read_json(${quoteLiteral(file)}, format = 'newline_delimited',
      columns = {id: 'BIGINT', values: 'VARCHAR'}, maximum_object_size = ${2 * longest + 1_024}) AS given ON given.id = laid.id)`;
}

/**
 * Rows in which expressions have set some columns. Every column is text here, as it was read: the value that does not fit
 * its type is what the expression is to mend.
 */
async function recomputed(
  session: Session,
  { columns }: FixRequest,
  { set }: Extract<Fix, { kind: 'SET' }>,
  path: string,
): Promise<string> {
  const texts = columns.map((column) => ({ name: column.name, type: isJsonValue(column) ? 'JSON' : 'VARCHAR' }));
  const shape = shapeOf(texts.map(({ name, type }) => ({ name, as: type })));
  const items = texts.map(({ name }) => `${q(TEXTS)}.${q(name)} AS ${q(name)}`);
  const hidden = [ROW_NUMBER, REVISION, FIELDS];
  const relation = new Relation(
    `SELECT ${[...items, ...hidden.map(q)].join(', ')} FROM (SELECT id AS ${q(ROW_NUMBER)}, revision AS ${q(REVISION)},
      json_transform(doc, ${shape}) AS ${q(TEXTS)}, json_transform(doc, ${asJson(columns)}) AS ${q(FIELDS)}
      FROM ${readQuarantined(path)})`,
    texts,
    hidden,
    `''`,
  );
  for (const [i, { column, expression }] of set.entries()) await setColumn(session, relation, i, column, expression);
  const isSet = new Set(set.map(({ column }) => column));
  const doc = record(columns, (column) => {
    if (!isSet.has(column.name)) return `${q(FIELDS)}.${q(column.name)}`;
    const value = q(column.name);
    // Text keeps every digit; the source reads it in the type of the column.
    return isJsonValue(column) ? `to_json(${value})` : `to_json(CAST(${value} AS VARCHAR))`;
  });
  const { bad } = fates(relation.gates);
  return `SELECT ${q(ROW_NUMBER)} AS id, ${q(REVISION)} AS revision, ${doc} AS doc,
    CASE WHEN ${bad} THEN CAST(${reasonsText(relation.gates)} AS JSON) END AS reasons FROM (${relation.toSql()})`;
}

async function setColumn(
  session: Session,
  relation: Relation,
  i: number,
  column: string,
  expression: string,
): Promise<void> {
  try {
    requireColumn(relation.columns, column, ['column']);
    const { binding } = deriveStep.parse({ column, expression }, []);
    if (binding.scope === 'ROW') await binding.apply({ session, relation });
  } catch (error) {
    if (error instanceof SluiceError && error.isUserError) throw new UserErrors([error.under('set', i)]);
    if (!(error instanceof UserErrors)) throw error;
    const [first, ...rest] = error.errors;
    throw new UserErrors([first.under('set', i), ...rest.map((one) => one.under('set', i))]);
  }
}
