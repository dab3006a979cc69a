import { BLANKS, type TextCast } from './text-cast.js';

const NOT_FINITE = `${BLANKS}[+-]?(inf|infinity|nan)${BLANKS}`;
const ZERO = '(?s)[^1-9eE]*([eE].*)?';

/** Neither `1_000` nor `+-1`, nor a number so large that it would become infinite, or so small that it would become 0. */
export const floats = (type: string): TextCast => ({
  attempt: (text) => `TRY_CAST(${text} AS ${type})`,
  settle: (attempt, text) =>
    `CASE WHEN contains(${text}, '_') OR contains(${text}, '+-') THEN NULL
      WHEN isfinite(${attempt}) AND ${attempt} <> 0 THEN ${attempt}
      WHEN regexp_full_match(${text}, CASE WHEN ${attempt} = 0 THEN '${ZERO}' ELSE '${NOT_FINITE}' END, 'i') THEN ${attempt} END`,
});
