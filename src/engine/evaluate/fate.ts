import { quoteIdentifier as q } from '../column.js';
import type { Check, Gate, Relation } from '../relation.js';

const flags = (gates: readonly Gate[]): string[] => gates.map((gate) => q(gate.flag));

const anyOf = (names: readonly string[]): string => (names.length === 0 ? 'false' : `(${names.join(' OR ')})`);

const isCheck = (gate: Gate): gate is Check => gate.kind === 'CHECK';

/** Checks that steps made; a row that fails one has not reached the expectations. */
export const stepChecks = (gates: readonly Gate[]): Check[] =>
  gates.filter(isCheck).filter((check) => check.expectation === null);

export const expectationChecks = (gates: readonly Gate[]): Check[] =>
  gates.filter(isCheck).filter((check) => check.expectation !== null);

/**
 * What becomes of a row, as SQL. Steps run in order: a row that was filtered before a check failed is filtered,
 * one that failed before a filter saw it is bad. Expectations come after all steps and never judge a row that
 * has failed or gone before.
 */
export function fates(gates: readonly Gate[]): { filtered: string; reached: string; bad: string; good: string } {
  const steps = gates.filter((gate) => !isCheck(gate) || gate.expectation === null);
  const badCases: string[] = [];
  const filteredCases: string[] = [];
  for (const gate of steps) {
    badCases.push(`WHEN ${q(gate.flag)} THEN ${gate.kind === 'CHECK'}`);
    filteredCases.push(`WHEN ${q(gate.flag)} THEN ${gate.kind === 'FILTER'}`);
  }
  const mixed = steps.some((gate) => gate.kind === 'FILTER') && steps.some((gate) => gate.kind === 'CHECK');
  const only = (kind: Gate['kind']): string => anyOf(flags(steps.filter((gate) => gate.kind === kind)));
  const stepBad = mixed ? `CASE ${badCases.join(' ')} ELSE false END` : only('CHECK');
  const filtered = mixed ? `CASE ${filteredCases.join(' ')} ELSE false END` : only('FILTER');
  const gone = anyOf(flags(steps));
  const broken = anyOf(flags(expectationChecks(gates).filter((check) => check.quarantines)));
  return {
    filtered,
    reached: `NOT ${gone}`,
    bad: `(${stepBad} OR (NOT ${gone} AND ${broken}))`,
    good: `NOT ${gone} AND NOT ${broken}`,
  };
}

/** The SELECT of the rows that are loaded. */
export function loadedRows(relation: Relation): string {
  const columns = relation.columns.map((column) => q(column.name)).join(', ');
  return `SELECT ${columns} FROM (${relation.toSql()}) WHERE ${fates(relation.gates).good}`;
}

/** SQL of the text of a JSON list of `{column, code, message}`, and `expectation` where one did it: every reason why a row is bad. */
export function reasonsText(gates: readonly Gate[]): string {
  const reason = (check: Check): string => {
    const column = check.column === null ? 'NULL' : `'${check.column.replaceAll("'", "''")}'`;
    const expectation = check.expectation === null ? '' : `, 'expectation', ${check.expectation}`;
    const object = `json_object('column', ${column}, 'code', '${check.code}', 'message', ${check.message}${expectation})`;
    return `CASE WHEN ${q(check.flag)} THEN CAST(${object} AS VARCHAR) END`;
  };
  const list = (checks: readonly Check[]): string =>
    checks.length === 0 ? `'[]'` : `concat('[', concat_ws(',', ${checks.map(reason).join(', ')}), ']')`;
  const steps = stepChecks(gates);
  const expectations = expectationChecks(gates).filter((check) => check.quarantines);
  const anyStep = anyOf(steps.map((check) => q(check.flag)));
  return `CASE WHEN ${anyStep} THEN ${list(steps)} ELSE ${list(expectations)} END`;
}
