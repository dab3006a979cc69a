import type { Relation } from '../relation.js';
import { MARK_SQL } from '../sinks/marked-line.js';
import { badRowSql } from './accounting.js';
import { expectationChecks, fates } from './fate.js';
import { textLine } from './text-format.js';

/**
 * The evaluation of every row in one pass: a good row is a line of COPY's text format, a bad one a marked line with
 * what is kept of it, a filtered one a bare mark. Lines stand in source order, so that the number of a line is that of
 * its row: nothing has to number rows, which DuckDB could only do on one thread.
 */
export function markedLines(relation: Relation): string {
  const { bad, filtered, reached } = fates(relation.gates);
  const kept = badRowSql(relation, expectationChecks(relation.gates), reached);
  const record = `to_json(struct_pack(${kept.map(({ name, sql }) => `${name} := ${sql}`).join(', ')}))`;
  return `SELECT CASE WHEN ${bad} THEN concat(${MARK_SQL}, ${record}) WHEN ${filtered} THEN concat(${MARK_SQL}) ELSE ${textLine(relation.columns)} END AS line FROM (${relation.toSql()})`;
}
