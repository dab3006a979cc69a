import { naming, type TextCast, trimmed } from './text-cast.js';
import {
  dateOf,
  isMoment,
  isTime,
  MOMENT,
  microsOf,
  type Parts,
  PLAIN_DATE,
  PLAIN_LOCAL,
  PLAIN_MOMENT,
  PLAIN_TIME,
  secondOf,
  TIME,
  WORD,
  zoneOf,
} from './time-parts.js';

// Dates and times in the forms of ISO 8601, with the liberties that PostgreSQL and common software take: one digit for two,
// slashes, a blank for the T, blanks around. What depends on a setting of the server (02/03/2026), on its clock (today) or
// on its tables (names of time zones) is refused. DuckDB alone would also take other words behind a date.

interface Reading {
  /** Pattern of texts that the attempt has read right. */
  readonly plain: string;
  readonly odd: Parts;
  /** SQL of the value from the parts of any other text. */
  readonly read: (parts: string) => string;
  /** The type whose words, as infinity, are taken. */
  readonly words?: string;
}

/** A text that is the value's own is settled by that: it costs less than a pattern. */
const settledBy =
  ({ plain, odd, read, words }: Reading): TextCast['settle'] =>
  (attempt, text) => {
    const parts = `regexp_extract(${text}, '${odd.pattern}', ${odd.names})`;
    const word = `WHEN regexp_full_match(${text}, '${WORD}', 'i') THEN TRY_CAST(${trimmed(text)} AS ${words})`;
    // TRY: the last moments of DuckDB's calendar can be rounded out of it.
    return `CASE WHEN CAST(${attempt} AS VARCHAR) = ${text} OR regexp_full_match(${text}, '${plain}') THEN ${attempt}
      WHEN regexp_full_match(${text}, '${odd.pattern}') THEN TRY(${naming(parts, 'parts', read)})
      ${words === undefined ? '' : word} END`;
  };

export const dates: TextCast = {
  attempt: (text) => `TRY_CAST(${text} AS DATE)`,
  settle: settledBy({
    plain: PLAIN_DATE,
    odd: MOMENT,
    read: (p) => `CASE WHEN ${isMoment(p)} THEN TRY_CAST(${dateOf(p)} AS DATE) END`,
    words: 'DATE',
  }),
};

const DAY = '2000-01-01';
const DAY_AFTER = '2000-01-02';

export const times: TextCast = {
  attempt: (text) => `TRY_CAST(${text} AS TIME)`,
  settle: settledBy({
    plain: PLAIN_TIME,
    odd: TIME,
    read(p) {
      const second = `TRY_CAST(concat('${DAY} ', ${p}.minute, ${secondOf(p)}) AS TIMESTAMP)`;
      // The end of a day is a time of its own to both.
      const time = (moment: string): string =>
        `CASE WHEN ${moment} = TIMESTAMP '${DAY_AFTER}' THEN TIME '24:00:00' ELSE CAST(${moment} AS TIME) END`;
      return `CASE WHEN ${isTime(p)} THEN ${naming(`${second} + to_microseconds(${microsOf(p)})`, 'moment', time)} END`;
    },
  }),
};

/** @param make makes the type of microseconds since 1970: DuckDB's own addition to an instant is not exact in far years */
const momentsBy = (type: string, make: string): TextCast['settle'] =>
  settledBy({
    plain: PLAIN_MOMENT,
    odd: MOMENT,
    read(p) {
      const time = `CASE WHEN ${p}.minute = '' THEN '00:00' ELSE ${p}.minute END, ${secondOf(p)}`;
      const second = `TRY_CAST(concat(${dateOf(p)}, ' ', ${time}, ${zoneOf(p)}) AS ${type})`;
      return `CASE WHEN ${isMoment(p)} THEN ${make}(epoch_us(${second}) + ${microsOf(p)}) END`;
    },
    words: type,
  });

/** An offset is dropped, as PostgreSQL does. */
export const timestamps: TextCast = {
  attempt: (text) => `TRY_CAST(${text} AS TIMESTAMP)`,
  settle: momentsBy('TIMESTAMP', 'make_timestamp'),
};

const INSTANT = 'TIMESTAMP WITH TIME ZONE';
const settleInstant = momentsBy(INSTANT, 'make_timestamptz');

/**
 * Without an offset it is UTC, which is said, since DuckDB is exact in far years only where an offset is. Nothing but plain
 * forms reaches its conversion: after a value with the name of a time zone it would read those that follow in that zone.
 */
export const instants: TextCast = {
  attempt: (text) =>
    `CASE WHEN regexp_full_match(${text}, '${PLAIN_LOCAL}') THEN TRY(TRY_CAST(concat(${text}, '+00') AS ${INSTANT}))
      WHEN regexp_full_match(${text}, '${PLAIN_MOMENT}') THEN TRY(TRY_CAST(${text} AS ${INSTANT})) END`,
  settle: (attempt, text) =>
    `CASE WHEN ${attempt} IS NOT NULL THEN ${attempt} ELSE ${settleInstant(attempt, text)} END`,
};
