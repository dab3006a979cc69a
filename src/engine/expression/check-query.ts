import { SluiceError } from '../../core/errors.js';
import type { Session } from '../session.js';
import { SCALAR_FUNCTIONS, SET_FUNCTIONS } from './allowed-functions.js';
import { checkFunction } from './check-expression.js';
import { nodesOf, parseSelect, type SqlNode } from './parse-sql.js';

const ALLOWED_TABLE_REFS = new Set(['BASE_TABLE', 'SUBQUERY', 'JOIN', 'EMPTY', 'EXPRESSION_LIST']);
const QUERY_NODES = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'CTE_NODE']);

/** The one relation that a `sql` step may read. */
export const INPUT_RELATION = 'input';

/**
 * Accepts one SELECT (joins, CTEs, subqueries, aggregates and windows included) that reads nothing but `input`.
 * @throws SluiceError EXPRESSION_INVALID, EXPRESSION_NOT_ALLOWED
 */
export async function checkQuery(session: Session, text: string): Promise<void> {
  const root = await parseSelect(session, text);
  const commonTables = new Set([...nodesOf(root)].flatMap(cteNames));
  for (const node of nodesOf(root)) {
    if (node.class === 'FUNCTION' || node.class === 'WINDOW') checkFunction(node, SCALAR_FUNCTIONS, SET_FUNCTIONS);
    // Every run of a query has to give the same rows.
    if (typeof node.sample === 'object' && node.sample !== null)
      throw notAllowed('A query here may not take a sample.');
    if (node.class === 'PARAMETER') throw notAllowed('A query here may not use a parameter.');
    if (isQueryNode(node) && !QUERY_NODES.has(String(node.type))) {
      throw notAllowed('Only a plain SELECT is allowed here, not a recursive or pivoting one.');
    }
    if (isTableRef(node)) checkTableRef(node, commonTables);
  }
}

function checkTableRef(node: SqlNode, commonTables: ReadonlySet<string>): void {
  if (!ALLOWED_TABLE_REFS.has(String(node.type))) {
    throw notAllowed(`A query here may only read \`${INPUT_RELATION}\`: no table function, no file, no pivot.`);
  }
  if (node.type !== 'BASE_TABLE') return;
  const name = String(node.table_name).toLowerCase();
  const qualified = node.schema_name !== '' || node.catalog_name !== '';
  if (qualified || (name !== INPUT_RELATION && !commonTables.has(name))) {
    throw notAllowed(`A query here may only read \`${INPUT_RELATION}\`, not \`${String(node.table_name)}\`.`);
  }
}

const notAllowed = (message: string): SluiceError => new SluiceError('EXPRESSION_NOT_ALLOWED', message);

/** Table references carry `sample` and no `class`; expressions carry `class`; query nodes carry `cte_map`. */
const isQueryNode = (node: SqlNode): boolean => 'cte_map' in node && 'type' in node;
const isTableRef = (node: SqlNode): boolean =>
  !('class' in node) && !isQueryNode(node) && 'type' in node && 'alias' in node && 'sample' in node;

function cteNames(node: SqlNode): string[] {
  const map = node.cte_map;
  if (typeof map !== 'object' || map === null || !('map' in map) || !Array.isArray(map.map)) return [];
  return map.map.flatMap((item: unknown) =>
    typeof item === 'object' && item !== null && 'key' in item ? [String(item.key).toLowerCase()] : [],
  );
}
