/** What is changed in quarantined rows. */
export type Fix =
  /** `values`: a JSON object as text, of columns and what they are to be. */
  | { readonly kind: 'ROWS'; readonly rows: readonly { readonly id: string; readonly values: string }[] }
  /** Expressions over the columns as text; in order, so that each sees what those before it have set. */
  | { readonly kind: 'SET'; readonly set: readonly { readonly column: string; readonly expression: string }[] };

interface FixReason {
  readonly column: string | null;
  readonly code: string;
  readonly message: string;
  readonly expectation?: number | null;
}

/** What the pipeline says of the fixed rows. */
export interface FixOutcome {
  readonly rows: number;
  readonly good: number;
  /** Rows that are bad, rows of `sql` steps included. */
  readonly bad: number;
  /** Why, most rows first. */
  readonly reasons: readonly {
    readonly code: string;
    readonly column: string | null;
    readonly expectation: number | null;
    readonly rows: number;
  }[];
  /** The first bad rows, with the values that they would have. */
  readonly samples: readonly {
    readonly id: string | null;
    readonly reasons: readonly FixReason[];
    readonly values: string;
  }[];
}
