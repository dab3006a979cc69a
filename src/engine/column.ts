/** A column of a relation inside the engine: its name as the user knows it and its DuckDB type, e.g. `DECIMAL(12,2)`. */
export interface Column {
  readonly name: string;
  readonly type: string;
  /** Special characters that no text of it holds, as far as is known; see `absentCharacters`. */
  readonly absent?: string;
}

/** A quoted SQL identifier; DuckDB and PostgreSQL quote alike. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A quoted SQL string literal. Both servers run with standard_conforming_strings. */
export const quoteLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;
