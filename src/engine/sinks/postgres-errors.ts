import pg from 'pg';
import { type ErrorCode, SluiceError } from '../../core/errors.js';

/** Which of our codes a refusal of the server is; what is not here passes as it came, for the caller to classify. */
function codeOf(sqlState: string): ErrorCode | null {
  if (sqlState.startsWith('23') || sqlState === 'P0001' || sqlState === '21000') return 'CONSTRAINT_VIOLATION';
  // Data exceptions, a row or an index entry too large, a view that checks: the value does not fit the target.
  if (sqlState.startsWith('22') || sqlState.startsWith('54') || sqlState === '44000') return 'TARGET_INCOMPATIBLE';
  if (sqlState === '42501') return 'TARGET_NOT_ALLOWED';
  if (sqlState === '42P01' || sqlState === '3F000') return 'TARGET_NOT_FOUND';
  if (['42703', '42804', '42P10', '55000'].includes(sqlState)) return 'TARGET_INCOMPATIBLE';
  return null;
}

/** Facts for the evidence of an escalation. `detail` may hold values of the offending row. */
function detailsOf(error: pg.DatabaseError): Record<string, string> {
  const facts = {
    sqlState: error.code,
    constraint: error.constraint,
    schema: error.schema,
    table: error.table,
    column: error.column,
    detail: error.detail,
    where: error.where,
  };
  return Object.fromEntries(Object.entries(facts).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** A refusal of the target as an error a user can act on. Anything else is returned as it is. */
export function targetError(error: unknown, target: { readonly schema: string; readonly table: string }): unknown {
  if (!(error instanceof pg.DatabaseError) || !error.code) return error;
  const code = codeOf(error.code);
  if (!code) return error;
  const facts = [error.message, error.detail, error.where && `(${error.where})`].filter(Boolean).join(' ');
  const hint =
    error.code === '21000' ? ' Two rows of the load have keys that differ in text but are equal to the server.' : '';
  return new SluiceError(code, `"${target.schema}"."${target.table}" refused the rows: ${facts}${hint}`, {
    details: { ...detailsOf(error), schema: target.schema, table: target.table },
    cause: error,
  });
}

/** Runs `work`; refusals of the target come out as SluiceError. */
export async function asTargetErrors<T>(
  target: { readonly schema: string; readonly table: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw targetError(error, target);
  }
}
