/**
 * How a line of a part begins that is no row but tells of one that is not loaded, as arguments of SQL's `concat`. In
 * COPY's text format no row can begin like this: every backslash of a value is doubled.
 */
export const MARK_SQL = `chr(1), '\\!'`;
/** The same, as bytes. */
export const MARK_BYTES: readonly [number, number, number] = [0x01, 0x5c, 0x21];

const LINE_FEED = 10;

/**
 * Takes marked lines out of the blocks of a part, in place. Blocks follow each other; a mark or a marked line may
 * begin in one and end in another.
 */
export class MarkedLineFilter {
  private isDropping = false;
  private isAtLineStart = true;

  /**
   * @param isLast whether nothing follows
   * @returns how many bytes at the beginning of the block are rows, and how many of its bytes are dealt with: a mark that
   *   is cut off at the end has to come again at the beginning of the next block
   */
  filter(block: Buffer, isLast: boolean): { readonly rows: number; readonly consumed: number } {
    const [first] = MARK_BYTES;
    let [from, to] = [0, 0];
    let consumed = block.length;
    /** Moves bytes that stay to the end of those that stay already. */
    const keep = (end: number): void => {
      if (to !== from) block.copyWithin(to, from, end);
      to += end - from;
      from = end;
    };
    for (;;) {
      if (this.isDropping) {
        const end = block.indexOf(LINE_FEED, from);
        if (end === -1) return { rows: to, consumed };
        [this.isDropping, this.isAtLineStart] = [false, true];
        from = end + 1;
      }
      const at = this.nextMark(block, from, first);
      if (at === -1) break;
      if (!isLast && at + MARK_BYTES.length > block.length) {
        consumed = at;
        break;
      }
      keep(at);
      this.isDropping = true;
    }
    const last = block.subarray(from, consumed);
    if (last.length > 0) this.isAtLineStart = last.at(-1) === LINE_FEED;
    keep(consumed);
    return { rows: to, consumed };
  }

  private nextMark(block: Buffer, from: number, first: number): number {
    for (let at = block.indexOf(first, from); at !== -1; at = block.indexOf(first, at + 1)) {
      const isStart = at === from ? this.startsAt(block, at) : block[at - 1] === LINE_FEED;
      if (isStart && MARK_BYTES.every((byte, i) => at + i >= block.length || block[at + i] === byte)) return at;
    }
    return -1;
  }

  /** Whether a line begins where the search did. */
  private startsAt(block: Buffer, at: number): boolean {
    return at === 0 ? this.isAtLineStart : block[at - 1] === LINE_FEED;
  }
}
