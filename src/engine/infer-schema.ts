import { quoteIdentifier as q } from './column.js';
import { BASE, withBase } from './compile.js';
import type { EngineContext } from './engine.js';
import { withSource } from './open-source.js';
import type { InferredColumn } from './pipeline.js';
import type { SourceBinding } from './sources/source.js';
import { CAST_TYPES } from './transforms/cast.js';
import { castFails } from './transforms/cast-sql.js';

const SAMPLED_ROWS = 10_000;
const SHOWN_VALUES = 5;

/** Types that text is tried as, the narrowest first. */
const CANDIDATES = [
  'BOOLEAN',
  'INTEGER',
  'BIGINT',
  'DOUBLE',
  'DATE',
  'TIMESTAMP',
  'TIMESTAMPTZ',
  'UUID',
  'JSON',
] as const;

/** The columns of a source and the cast types that every one of the first 10,000 rows fits. */
export async function inferSchema(
  options: EngineContext,
  source: SourceBinding,
  directory: string,
  signal: AbortSignal,
): Promise<readonly InferredColumn[]> {
  return withSource(source, options, { directory, signal, isLoading: false }, async ({ session, relation }) => {
    const names = relation.columns.map((column) => q(column.name)).join(', ');
    const base = withBase(relation, `SELECT ${names} FROM ${q(BASE)} LIMIT ${SAMPLED_ROWS}`, {
      rowNumbers: false,
      keepRejects: false,
    });
    await session.run(`CREATE TABLE sluice_sample AS ${base}`);
    const inferred: InferredColumn[] = [];
    for (const { name, type } of relation.columns) {
      const column = q(name);
      const tests = CANDIDATES.map((candidate, i) => {
        const violation = castFails(column, CAST_TYPES[candidate]);
        return `count(*) FILTER (${type === 'VARCHAR' ? violation : 'true'}) AS c${i}`;
      });
      const [row] = await session.query(
        `SELECT count(*) - count(${column}) AS nulls, count(${column}) AS filled, (array_agg(DISTINCT left(CAST(${column} AS VARCHAR), 100)) FILTER (${column} IS NOT NULL))[:${SHOWN_VALUES}]::JSON AS shown, ${tests.join(', ')} FROM sluice_sample`,
      );
      const filled = Number(row?.filled ?? 0);
      const fitting = CANDIDATES.find((_, i) => filled > 0 && Number(row?.[`c${i}`]) === 0);
      inferred.push({
        name,
        sourceType: type,
        suggestedType: type === 'VARCHAR' ? (fitting ?? 'TEXT') : apiType(type),
        nullable: Number(row?.nulls ?? 0) > 0,
        // Made by the query above: a JSON list of texts, or null for a column without values.
        samples: (JSON.parse(String(row?.shown ?? '[]')) as string[] | null) ?? [],
      });
    }
    return inferred;
  });
}

function apiType(type: string): string {
  if (type.startsWith('DECIMAL')) return 'DECIMAL';
  const found = Object.entries(CAST_TYPES).find(([, duck]) => duck === type);
  if (found !== undefined) return found[0];
  if (/^U?(TINYINT|SMALLINT)$/.test(type)) return 'INTEGER';
  if (/INT/.test(type)) return 'BIGINT';
  if (type.startsWith('TIMESTAMP')) return 'TIMESTAMP';
  return /^(STRUCT|MAP)|\]$/.test(type) ? 'JSON' : 'TEXT';
}
