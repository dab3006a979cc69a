import { quoteIdentifier as q, quoteLiteral } from './column.js';
import { aboutValue, type NewCheck, type Relation } from './relation.js';
import type { SinkBinding, SinkTarget, TargetColumn } from './sinks/sink.js';
import { applyCasts } from './transforms/cast-sql.js';
import { withoutStrings } from './transforms/text/json.js';

/**
 * Fits the output to the target, so that nothing the evaluation has accepted can be refused while loading:
 * casts to the target's types, no nulls where it takes none, lengths, labels, keys, and no NUL characters.
 */
export function align(relation: Relation, target: SinkTarget, staging: SinkBinding['staging']['kind']): void {
  if (target.columns !== null) fitColumns(relation, target.columns);
  const checks: NewCheck[] = target.key.map((name) => ({
    column: name,
    code: 'KEY_MISSING',
    violation: `${q(name)} IS NULL`,
    message: `'A key column of the target has no value.'`,
  }));
  if (staging === 'ROWS') checks.push(...nulCharacters(relation), ...outsideCalendar(relation));
  checks.push(...jsonWithoutNumber(relation));
  relation.checks(checks);
}

function fitColumns(relation: Relation, columns: readonly TargetColumn[]): void {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const fits = relation.columns.flatMap((column) => {
    const target = byName.get(column.name);
    return target === undefined ? [] : [{ column, target }];
  });
  applyCasts(
    relation,
    fits.map(({ column, target }) => ({
      column: column.name,
      from: column.type,
      to: target.type,
      message: aboutValue(q(column.name), `does not fit the type ${target.nativeType} of the target.`),
    })),
  );
  relation.checks(fits.flatMap(({ target }) => targetRules(target)));
}

function targetRules(target: TargetColumn): NewCheck[] {
  const rules: NewCheck[] = [];
  const name = q(target.name);
  if (!target.nullable) {
    rules.push({
      column: target.name,
      code: 'NULL_NOT_ALLOWED',
      violation: `${name} IS NULL`,
      message: `'The target takes no null here.'`,
    });
  }
  if (target.maxLength !== null) {
    rules.push({
      column: target.name,
      code: 'TOO_LONG',
      violation: `length(${name}) > ${target.maxLength}`,
      message: {
        value: name,
        words: (value) => `concat('It has ', length(${value}), ' characters; the target takes ${target.maxLength}.')`,
      },
    });
  }
  if (target.labels !== null) {
    rules.push({
      column: target.name,
      code: 'NO_SUCH_LABEL',
      violation: `${name} NOT IN (${target.labels.map(quoteLiteral).join(', ')})`,
      message: aboutValue(name, `is none of the values of the enum ${target.nativeType}.`),
    });
  }
  return rules;
}

/** PostgreSQL has no NUL character in text, and no \\u0000 in jsonb. */
function nulCharacters(relation: Relation): NewCheck[] {
  return relation.columns.flatMap(({ name, type, absent }) => {
    const violation = absent?.includes('\u0000') ? null : nulTest(q(name), type);
    if (violation === null) return [];
    return [
      {
        column: name,
        code: 'NUL_CHARACTER',
        violation,
        message: `'The text has a NUL character, which PostgreSQL cannot hold.'`,
      },
    ];
  });
}

/** Both ends of PostgreSQL's calendar, where DuckDB's goes on; its last moments are DuckDB's too. */
const FIRST_DAY = '4714-11-24 (BC)';
const LAST_DAY = '5874897-12-31';

function outsideCalendar(relation: Relation): NewCheck[] {
  return relation.columns.flatMap(({ name, type }) => {
    const isDate = type === 'DATE';
    if (!isDate && !type.startsWith('TIMESTAMP')) return [];
    const column = q(name);
    const isOut = isDate
      ? `(${column} < DATE '${FIRST_DAY}' OR ${column} > DATE '${LAST_DAY}')`
      : `${column} < TIMESTAMP '${FIRST_DAY} 00:00:00'`;
    return [
      {
        column: name,
        code: 'OUT_OF_RANGE',
        violation: `${isOut} AND isfinite(${column})`,
        message: aboutValue(column, 'is outside of the calendar of PostgreSQL.'),
      },
    ];
  });
}

/** DuckDB reads and writes NaN and Infinity in JSON; no other reader takes them. */
function jsonWithoutNumber(relation: Relation): NewCheck[] {
  const json = relation.columns.filter(({ type }) => type === 'JSON' || NESTED.test(type));
  return json.map(({ name, type }) => {
    const text = type === 'JSON' ? `CAST(${q(name)} AS VARCHAR)` : `CAST(to_json(${q(name)}) AS VARCHAR)`;
    const hint = `(contains(${text}, 'N') OR contains(${text}, 'n'))`;
    return {
      column: name,
      code: 'NOT_A_NUMBER',
      // CASE, since AND would compute both for every row.
      violation: `CASE WHEN ${hint} THEN regexp_matches(${withoutStrings(text)}, '(^|[:\\[,])\\s*-?(nan|inf(inity)?)\\s*($|[,\\]}])', 'i') ELSE false END`,
      message: `'The value holds NaN or Infinity, which JSON does not have.'`,
    };
  });
}

const NESTED = /^(STRUCT|MAP|UNION)|\]$/;

function nulTest(sql: string, type: string): string | null {
  if (type === 'VARCHAR') return `contains(${sql}, chr(0))`;
  if (type === 'JSON') return `contains(CAST(${sql} AS VARCHAR), '\\u0000')`;
  if (NESTED.test(type)) return `contains(CAST(to_json(${sql}) AS VARCHAR), '\\u0000')`;
  return null;
}
