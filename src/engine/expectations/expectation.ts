import type { Message } from '../relation.js';
import type { StepContext } from '../transforms/step.js';

/** What a row-local expectation looks for, as SQL over the columns. */
export interface Violation {
  readonly column: string | null;
  /** True for a row that breaks it. Null counts as kept: only `notNull` judges null. */
  readonly sql: string;
  /** What is said of a row that breaks it. */
  readonly message: Message;
}

export type ExpectationBinding = {
  /** What is expected, for people. */
  readonly description: string;
} & (
  | { readonly scope: 'ROW'; violation(context: StepContext): Promise<Violation> }
  | { readonly scope: 'UNIQUE'; readonly columns: readonly string[] }
  | { readonly scope: 'ROW_COUNT'; readonly min: number | null; readonly max: number | null }
);
