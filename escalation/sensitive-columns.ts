const WORD = String.raw`[\p{L}\p{N}_]`;
const isWord = new RegExp(WORD, 'u');

/** Columns whose values no evidence shows, whatever the case of their names. */
export class SensitiveColumns {
  private readonly names: ReadonlySet<string>;
  private readonly pattern: RegExp;

  constructor(columns: readonly string[]) {
    this.names = new Set(columns.map((column) => column.toLowerCase()));
    // SQL doubles the quotes inside of a quoted name.
    const written = [...this.names].flatMap((name) => [name, name.replaceAll('"', '""')]);
    this.pattern = new RegExp(written.map(asWord).join('|'), 'iu');
  }

  get areNone(): boolean {
    return this.names.size === 0;
  }

  /** Whether it is the name of one. */
  has(name: unknown): boolean {
    return typeof name === 'string' && this.names.has(name.toLowerCase());
  }

  /** Whether one is named somewhere in the text: then its values may stand there too. */
  areIn(text: string): boolean {
    return !this.areNone && this.pattern.test(text);
  }
}

/** `id` stands in `id > 5` and not in `paid`. */
function asWord(name: string): string {
  const [before, after] = [name.slice(0, 1), name.slice(-1)].map((end) => isWord.test(end));
  const literal = name.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
  return `${before ? `(?<!${WORD})` : ''}${literal}${after ? `(?!${WORD})` : ''}`;
}
