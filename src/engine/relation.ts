import { type Column, quoteIdentifier as q } from './column.js';

/** Prefix of the engine's own columns; a source or step may not make a column that starts with it. */
export const HIDDEN_PREFIX = '__sluice_';
export const ROW_NUMBER = `${HIDDEN_PREFIX}rn`;
/** Distance between the row numbers of two files, where a reader numbers each for itself: numbers order all rows. */
export const FILE_STRIDE = 2 ** 40;
/** A row number as users see it, within its file. */
export const withinFile = (rowNumber: string): string => `((${rowNumber} - 1) % ${FILE_STRIDE} + 1)`;
export const FILE = `${HIDDEN_PREFIX}file`;

/** One visible output of a projection. */
export interface Projection {
  readonly name: string;
  readonly sql: string;
  readonly type: string;
  /** See `Column.absent`; left out for what may hold any character. */
  readonly absent?: string;
}

/** What a projection looks like from outside. */
export const columnOf = ({ name, type, absent }: Projection): Column => ({
  name,
  type,
  ...(absent !== undefined && { absent }),
});

/**
 * What is wrong with a row: SQL text, made for bad rows only. `value` is SQL over the columns as they are at the check;
 * `words` is given the name under which it is kept until then.
 */
export type Message = string | { readonly value: string; readonly words: (value: string) => string };

/** The value itself, shortened and in quotes, and what is wrong with it. */
export const aboutValue = (value: string, words: string): Message => ({
  value,
  words: (kept) => `concat('"', left(CAST(${kept} AS VARCHAR), 200), '" ${words.replaceAll("'", "''")}')`,
});

/** A rule that sends a row to quarantine, or counts it, when its flag is true. */
export interface Check {
  readonly kind: 'CHECK';
  readonly column: string | null;
  readonly code: string;
  /** Name of the hidden boolean column. Never null. */
  readonly flag: string;
  /** Name of the hidden column that the message is about, if it is about one. */
  readonly value: string | null;
  /** SQL text over `value` that says what is wrong with this row. */
  readonly message: string;
  /** Set when an expectation of the spec made it: its position there. */
  readonly expectation: number | null;
  /** Whether a violation sets the row aside; else it is only counted. */
  readonly quarantines: boolean;
}

export interface Filter {
  readonly kind: 'FILTER';
  /** Name of the hidden boolean column, true when the row is dropped. */
  readonly flag: string;
}

/** What decides a row's fate, in the order of the steps. */
export type Gate = Check | Filter;

export interface NewCheck {
  readonly column: string | null;
  readonly code: string;
  /** True or null-free false over the columns as they are now; null counts as false. */
  readonly violation: string;
  readonly message: Message;
  readonly expectation?: number;
  readonly quarantines?: boolean;
}

/**
 * A SELECT under construction: every operation wraps another level around it. Rows are never removed while
 * levels are added: filters and checks leave boolean flags behind, so that one query can count each fate.
 * DuckDB folds the levels together and prunes what a query does not use.
 */
export class Relation {
  readonly gates: Gate[] = [];
  /** Hidden columns that say where a row comes from and what it was: all that a table of good rows keeps of them. */
  readonly record: readonly string[];
  private readonly hidden: string[];
  private flags = 0;

  /**
   * @param sql a SELECT of `visible` and `hidden`
   * @param visible columns that the user sees, with their types
   * @param hidden the engine's own: source columns for the raw record, `FILE`, `ROW_NUMBER`
   */
  constructor(
    private sql: string,
    private visible: readonly Column[],
    hidden: readonly string[],
    /** SQL text of the record as it was read, over hidden columns; put into queries for bad rows only. */
    readonly raw: string,
  ) {
    this.hidden = [...hidden];
    this.record = [...hidden];
  }

  /** The columns that tell a bad row: its flags, what their messages are about, and where and what the record is. */
  get evidence(): readonly string[] {
    const told = this.gates.flatMap((gate) =>
      gate.kind === 'CHECK' && gate.value !== null ? [gate.flag, gate.value] : [gate.flag],
    );
    return [...this.record, ...told];
  }

  get columns(): readonly Column[] {
    return this.visible;
  }

  column(name: string): Column | undefined {
    return this.visible.find((column) => column.name === name);
  }

  /** Replaces the visible columns. */
  project(outputs: readonly Projection[]): void {
    const items = [...outputs.map((o) => `${o.sql} AS ${q(o.name)}`), ...this.hidden.map(q)];
    this.sql = `SELECT ${items.join(', ')} FROM (${this.sql})`;
    this.visible = outputs.map(columnOf);
  }

  /** Replaces some visible columns in place and keeps the others. */
  replace(changes: readonly Projection[]): void {
    const byName = new Map(changes.map((change) => [change.name, change]));
    this.project(this.visible.map((column) => byName.get(column.name) ?? { ...column, sql: q(column.name) }));
  }

  /** Adds engine columns in one level, e.g. results that a flag and a value both need. @returns their names */
  addHidden(expressions: readonly string[]): readonly string[] {
    if (expressions.length === 0) return [];
    const names = expressions.map(() => this.nextName('v'));
    const items = expressions.map((sql, i) => `${sql} AS ${q(names[i] ?? '')}`);
    this.sql = `SELECT *, ${items.join(', ')} FROM (${this.sql})`;
    this.hidden.push(...names);
    return names;
  }

  check(check: NewCheck): void {
    this.checks([check]);
  }

  /** Adds flags of several checks in one level. */
  checks(checks: readonly NewCheck[]): void {
    if (checks.length === 0) return;
    const items = checks.flatMap((check) => {
      const flag = this.nextName('c');
      const { message } = check;
      const value = typeof message === 'string' ? null : { name: `${flag}_v`, sql: message.value };
      this.gates.push({
        kind: 'CHECK',
        column: check.column,
        code: check.code,
        flag,
        value: value?.name ?? null,
        message: typeof message === 'string' ? message : message.words(q(`${flag}_v`)),
        expectation: check.expectation ?? null,
        quarantines: check.quarantines ?? true,
      });
      const flagged = `coalesce(${check.violation}, false) AS ${q(flag)}`;
      this.hidden.push(flag);
      if (value === null) return [flagged];
      this.hidden.push(value.name);
      return [flagged, `${value.sql} AS ${q(value.name)}`];
    });
    this.sql = `SELECT *, ${items.join(', ')} FROM (${this.sql})`;
  }

  /** Marks rows for which the condition is not true as filtered. */
  filter(condition: string): void {
    const flag = this.nextName('f');
    this.gates.push({ kind: 'FILTER', flag });
    this.hidden.push(flag);
    this.sql = `SELECT *, NOT coalesce(${condition}, false) AS ${q(flag)} FROM (${this.sql})`;
  }

  /** The SELECT so far: visible columns, hidden columns, flags. */
  toSql(): string {
    return this.sql;
  }

  private nextName(letter: string): string {
    this.flags += 1;
    return `${HIDDEN_PREFIX}${letter}${this.flags}`;
  }
}
