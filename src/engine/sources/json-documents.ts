import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q } from '../column.js';
import { aboutValue, HIDDEN_PREFIX, type NewCheck, type Projection } from '../relation.js';
import { checkColumnNames } from './columns.js';
import { EXACT_IN_DOUBLE, type Field, inferFieldTypes, shapeOf } from './infer-fields.js';
import type { RejectsTable, SourceContext, SourceRelation } from './source.js';

/** Records whose fields the schema is inferred from; fields that only later records have are not read. */
const SAMPLE_RECORDS = 200_000;

/** One JSON document a row, in a column `doc` of text, before its fields are taken apart. */
export interface DocumentRelation {
  readonly from: string;
  readonly fromKeepingRejects: string;
  readonly file: string;
  readonly rejects: RejectsTable | null;
}

/**
 * Fields of JSON objects as columns. Numbers, booleans and text get their own type when every sampled value has
 * it; lists, objects and mixed values stay JSON. A record that is no object, or a value that does not fit its
 * column, is a bad row with the whole record kept as it was.
 */
export async function openDocuments(context: SourceContext, documents: DocumentRelation): Promise<SourceRelation> {
  const uri = context.files[0]?.uri ?? 'The records';
  const fields = await inferFields(context, documents, uri);
  const doc = `${HIDDEN_PREFIX}doc`;
  const taken = `${HIDDEN_PREFIX}fields`;
  // Scalars come as their text, which saves taking each of them out of JSON once more.
  const shape = shapeOf(fields.map(({ name, type }) => ({ name, as: type === 'JSON' ? 'JSON' : 'VARCHAR' })));
  const isObject = objectTest('doc');
  const over = (from: string): string => `(SELECT doc AS ${q(doc)}, ${documents.file} AS ${q(`${HIDDEN_PREFIX}path`)},
    json_transform(CASE WHEN ${isObject} THEN doc END, ${shape}) AS ${q(taken)} FROM ${from} WHERE doc IS NOT NULL)`;
  const value = (field: Field): string => `${q(taken)}.${q(field.name)}`;
  return {
    from: over(documents.from),
    fromKeepingRejects: over(documents.fromKeepingRejects),
    columns: fields.map(
      (field): Projection => ({ name: field.name, type: field.type, sql: typed(value(field), field.type) }),
    ),
    checks: [
      {
        column: null,
        code: 'MALFORMED_RECORD',
        violation: `NOT ${objectTest(q(`${HIDDEN_PREFIX}s0`))}`,
        message: `'The record is no JSON object.'`,
      },
      ...fields.flatMap((field) => misfit(field)),
    ],
    rawColumns: [
      { name: `${HIDDEN_PREFIX}s0`, sql: q(doc), type: 'VARCHAR' },
      { name: taken, sql: q(taken), type: 'STRUCT' },
    ],
    raw: q(`${HIDDEN_PREFIX}s0`),
    rowNumber: null,
    file: q(`${HIDDEN_PREFIX}path`),
    rejects: documents.rejects,
    headerLines: 0,
  };
}

/** AND may judge its right side first, and json_type stops the query at text that is no JSON; CASE does not. */
export const objectTest = (text: string): string =>
  `CASE WHEN json_valid(${text}) THEN json_type(${text}) = 'OBJECT' ELSE false END`;

const INTEGER = /INT(EGER)?$/;

/** A value in its type; null when it does not fit. */
export const typed = (value: string, type: string): string => {
  if (type === 'JSON') return `CASE WHEN json_type(${value}) <> 'NULL' THEN ${value} END`;
  if (type === 'VARCHAR') return value;
  // A number with a fraction has a point in its text; the cast alone would round it.
  if (INTEGER.test(type)) return `CASE WHEN NOT contains(${value}, '.') THEN TRY_CAST(${value} AS ${type}) END`;
  return `TRY_CAST(${value} AS ${type})`;
};

/** Checks that set a record aside when a value does not fit its column; over the column and the fields as taken. */
export function misfit(field: Field): NewCheck[] {
  if (field.type === 'JSON' || field.type === 'VARCHAR') return [];
  const text = `${q(`${HIDDEN_PREFIX}fields`)}.${q(field.name)}`;
  const column = q(field.name);
  const lost = `${column} IS NULL AND ${text} IS NOT NULL`;
  return [
    {
      column: field.name,
      code: 'CAST_FAILED',
      violation:
        field.type === 'DOUBLE'
          ? `(${lost}) OR (abs(${column}) >= ${EXACT_IN_DOUBLE} AND isfinite(${column}) AND NOT contains(${text}, '.') AND NOT contains(${text}, 'e'))`
          : lost,
      message: aboutValue(text, `is no ${field.type}, as the other records have it.`),
    },
  ];
}

async function inferFields(
  context: SourceContext,
  documents: DocumentRelation,
  uri: string,
): Promise<readonly Field[]> {
  const objects = `SELECT doc FROM ${documents.from} WHERE ${objectTest('doc')} LIMIT ${SAMPLE_RECORDS}`;
  let rows: readonly Readonly<Record<string, unknown>>[];
  try {
    rows = await context.session.query(
      `SELECT json_group_structure(doc::JSON) AS structure, count(*) AS n FROM (${objects})`,
    );
  } catch (error) {
    context.session.throwIfStopped();
    const words = error instanceof Error ? error.message : '';
    if (/out of memory/i.test(words)) throw error;
    if (words.includes('Expected top-level JSON array')) {
      throw new SluiceError(
        'FILE_UNREADABLE',
        `${uri} is no JSON array; for one object a line use the \`ndjson\` source.`,
        { cause: error },
      );
    }
    const malformed = /Malformed JSON .* in record\/value (\d+): ([^.]*)\./.exec(words);
    if (malformed !== null) {
      throw new SluiceError('FILE_UNREADABLE', `${uri} is malformed near record ${malformed[1]}: ${malformed[2]}.`, {
        cause: error,
      });
    }
    if (words.includes('maximum_object_size')) {
      throw new SluiceError('FILE_UNREADABLE', `${uri} has a record of more than 16 MB.`, { cause: error });
    }
    throw new SluiceError('FILE_UNREADABLE', `${uri} cannot be read as JSON: it is malformed or not UTF-8.`, {
      cause: error,
    });
  }
  const structure: unknown = JSON.parse(String(rows[0]?.structure ?? 'null'));
  if (
    typeof structure !== 'object' ||
    structure === null ||
    Array.isArray(structure) ||
    Object.keys(structure).length === 0
  ) {
    throw new SluiceError('FILE_UNREADABLE', `${uri} holds no JSON object with fields.`);
  }
  checkColumnNames(Object.keys(structure), uri);
  // Checked above: an object, whose values are judged one by one.
  return inferFieldTypes(context.session, objects, structure as Record<string, unknown>);
}
