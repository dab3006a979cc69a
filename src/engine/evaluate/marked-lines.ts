import { quoteIdentifier as q } from '../column.js';
import type { Relation } from '../relation.js';
import { MARK_SQL } from '../sinks/marked-line.js';
import type { SinkBinding } from '../sinks/sink.js';
import { badRowSql } from './accounting.js';
import { expectationChecks, fates, reasonsText } from './fate.js';
import { quarantineText } from './quarantine-part.js';
import { rowLine } from './row-line.js';

/**
 * What a marked line keeps of a bad row. `JSON`: an object with all of it, to be read into a table. `TEXT`: the positions
 * of the expectations that set it aside, and the rest of its line in the quarantine, which nothing has to read again.
 */
export type BadRecord = 'JSON' | 'TEXT';

/**
 * The evaluation of every row in one pass: a good row is a line of COPY's text format or of JSON, a bad one a marked line with
 * what is kept of it, a filtered one a bare mark. Lines stand in source order, so that the number of a line is that of
 * its row: nothing has to number rows, which DuckDB could only do on one thread.
 */
export function markedLines(relation: Relation, kept: BadRecord, staging: SinkBinding['staging']['kind']): string {
  const { bad, filtered } = fates(relation.gates);
  const record = kept === 'JSON' ? jsonRecord(relation) : textRecord(relation);
  return `SELECT CASE WHEN ${bad} THEN concat(${MARK_SQL}, ${record}) WHEN ${filtered} THEN concat(${MARK_SQL}) ELSE ${rowLine(relation.columns, staging)} END AS line FROM (${relation.toSql()})`;
}

function jsonRecord(relation: Relation): string {
  const { reached } = fates(relation.gates);
  const kept = badRowSql(relation, expectationChecks(relation.gates), reached);
  return `to_json(struct_pack(${kept.map(({ name, sql }) => `${name} := ${sql}`).join(', ')}))`;
}

function textRecord(relation: Relation): string {
  const { reached } = fates(relation.gates);
  const positions = expectationChecks(relation.gates)
    .filter((check) => check.quarantines)
    .map((check) => `CASE WHEN ${q(check.flag)} THEN '${check.expectation}' END`);
  const broken =
    positions.length === 0 ? `''` : `CASE WHEN ${reached} THEN concat_ws(',', ${positions.join(', ')}) ELSE '' END`;
  return `${broken}, chr(9), ${quarantineText(reasonsText(relation.gates), relation.raw)}`;
}
