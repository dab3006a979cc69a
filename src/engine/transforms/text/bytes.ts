import { ITEM, type TextCast } from './text-cast.js';

const HEX = '([ \\t\\n\\r]*[0-9a-fA-F]{2})*[ \\t\\n\\r]*';
const ESCAPED = '([^\\\\]|\\\\\\\\|\\\\[0-3][0-7]{2})*';
const ESCAPED_PIECES = '\\\\\\\\|\\\\[0-7]{3}|[^\\\\]+';

/**
 * Binary data as PostgreSQL writes and reads it: `\x` and hexadecimal digits, or characters as their bytes in UTF-8 with `\\`
 * and `\ooo` in octal. DuckDB's own form, `\xAB` for each byte, would be read as something else there.
 */
export const bytes: TextCast = {
  attempt: (text) => text,
  settle(_attempt, text) {
    const digits = `substr(${text}, 3)`;
    const value = `64 * (ascii(${ITEM}[2]) - 48) + 8 * (ascii(${ITEM}[3]) - 48) + ascii(${ITEM}[4]) - 48`;
    const piece = `CASE WHEN ${ITEM} = '\\\\' THEN '5C' WHEN ${ITEM}[1] = '\\' THEN printf('%02X', ${value}) ELSE hex(${ITEM}) END`;
    const pieces = `list_transform(regexp_extract_all(${text}, '${ESCAPED_PIECES}'), lambda ${ITEM}: ${piece})`;
    return `CASE WHEN contains(${text}, chr(0)) THEN NULL
      WHEN NOT contains(${text}, '\\') THEN encode(${text})
      WHEN NOT starts_with(${text}, '\\x') THEN
        CASE WHEN regexp_full_match(${text}, '${ESCAPED}') THEN unhex(array_to_string(${pieces}, '')) END
      WHEN regexp_full_match(${digits}, '${HEX}') THEN unhex(regexp_replace(${digits}, '\\s', '', 'g')) END`;
  },
};
