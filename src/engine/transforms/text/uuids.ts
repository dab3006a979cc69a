import type { TextCast } from './text-cast.js';

const GROUPS = '([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}';

/** 32 hexadecimal digits, a hyphen behind any four of them, in braces or not. DuckDB alone takes hyphens everywhere. */
export const uuids: TextCast = {
  attempt: (text) => `TRY_CAST(${text} AS UUID)`,
  settle: (attempt, text) =>
    `CASE WHEN CAST(${attempt} AS VARCHAR) = ${text} OR regexp_full_match(${text}, '${GROUPS}|\\{${GROUPS}\\}') THEN ${attempt} END`,
};
