/** What happens to a process at a statement. */
export const STATEMENT_FAULTS = ['KILL', 'TERMINATE', 'CUT', 'CLOCK'] as const;
/**
 * `KILL`: SIGKILL of the process. `TERMINATE`: pg_terminate_backend of its connection. `CUT`: the connection breaks; after
 * a statement that means that the server has carried it out and the answer is lost. `CLOCK`: the process's clock jumps.
 */
export type StatementFault = (typeof STATEMENT_FAULTS)[number];
export type Moment = 'BEFORE' | 'AFTER';

/** Where a process is broken next. */
export interface Fault {
  readonly id: number;
  readonly kind: StatementFault;
  readonly moment: Moment;
  /** Of the statement, see `keyOf`. */
  readonly key: string;
  /** The how manyth of these statements from now on; from 1. */
  readonly nth: number;
}

/** From the harness to the process. */
export type Order = { readonly arm: Fault | null } | { readonly count: true };

/** From the process to the harness. */
export type Word =
  | { readonly fired: number }
  /** Statements since it was asked last: how often each. */
  | { readonly counted: Readonly<Record<string, number>> };

/** One word for all statements that differ in names, numbers and texts alone. */
export const keyOf = (sql: string): string =>
  sql
    .replace(/"[^"]*"/g, '"x"')
    .replace(/'[^']*'/g, "'x'")
    .replace(/\b\d+\b/g, '0')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
    .toLowerCase();
