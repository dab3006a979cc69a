/** What a rule may look at besides the text. */
export interface Circumstances {
  /** Of the column, as PostgreSQL names it. */
  readonly type: string;
  /** Major version of the server. */
  readonly server: number;
  /** Time zone of PostgreSQL's session; Sluice's is always UTC. */
  readonly timeZone: string;
  /** The value as it stands in the file. */
  readonly written: string;
}

/** A difference from PostgreSQL's COPY that is meant to be. */
export interface Difference {
  readonly name: string;
  readonly types: readonly string[];
  /** Sluice refuses what PostgreSQL takes; or both take it and may hold another value; or anything can become of it. */
  readonly kind: 'REFUSED' | 'OTHER_VALUE' | 'ANY';
  applies(text: string, circumstances: Circumstances): boolean;
  /** For the documentation, and the proof that the difference is there. */
  readonly examples: readonly string[];
  /** Oldest and newest major version of the server that has it. */
  readonly since?: number;
  readonly until?: number;
  /** Another time zone than UTC, where it needs one to be seen. */
  readonly timeZone?: string;
  readonly sluice: string;
  readonly postgres: string;
  readonly reason: string;
}

const INTEGERS = ['smallint', 'integer', 'bigint'];
const DECIMALS = ['numeric(12,2)', 'numeric(4,4)', 'numeric(38,10)'];
const FLOATS = ['real', 'double precision'];
const MOMENTS = ['date', 'timestamp without time zone', 'timestamp with time zone'];
const TIME = 'time without time zone';

const BLANK = '[ \\t\\n\\v\\f\\r]*';
const full = (pattern: string, flags = ''): RegExp => new RegExp(`^${BLANK}(?:${pattern})${BLANK}$`, flags);

const YEAR = '(?!0000)(?:\\d{4}|[1-9]\\d{4,6})';
const DATE = `(?:${YEAR}-\\d\\d?-\\d\\d?|${YEAR}/\\d\\d?/\\d\\d?)`;
const CLOCK = '\\d\\d?:\\d\\d?(?::\\d\\d?(?:\\.\\d*)?)?';
const OFFSET = '(?:Z| ?UTC|[+-]\\d\\d(?::?\\d\\d)?)';
const ERA = '(?: ?BC| ?\\(BC\\))';
const ISO_MOMENT = full(`${DATE}(?:(?:[ T]${CLOCK}${OFFSET}?)?(?: BC)?|${ERA}(?:[ T]${CLOCK}${OFFSET}?)?)`);
const WORD = full('-?infinity|epoch', 'i');
const ISO_TIME = full(`${CLOCK}${OFFSET}?`);
const NAMED_ZONE = new RegExp(`${CLOCK} ?(?!UTC|AM|PM|AD|BC)[A-Za-z][A-Za-z_/+-]+(?: BC| AD)?${BLANK}$`, 'i');
const SECOND_60 = /:\s*60(\D|$)/;

/** NUL, or a half of a pair of surrogates. */
const hasLoneEscape = (json: string): boolean =>
  /\\u(0000|d[89a-f])/i.test(json.replace(/\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/gi, ''));

const hasHugePower = (json: string): boolean =>
  [...json.matchAll(/e([+-]?\d+)/gi)].some(([, power]) => Math.abs(Number(power)) > 16_000);

/** The one list of what is loaded otherwise than by PostgreSQL's COPY; docs/limits.md shows it, the differential test excuses nothing else. */
export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'quotes out of place',
    types: ['text'],
    kind: 'ANY',
    applies: (_text, { written }) => written.includes('"') && !/^"([^"]|"")*"$/.test(written),
    examples: ['5" pipe', 'a"b"c', ' "a"', '"a"b'],
    sluice: '`5" pipe` and `a"b"c` as they stand; `a` without the blank; `"a"b` is set aside',
    postgres: '`5" pipe` swallows what follows; abc; ` a`; ab',
    reason: 'RFC 4180 has no quotes there. A mark for inches must not swallow the lines that follow.',
  },
  {
    name: 'notation of programmers',
    types: [...INTEGERS, ...DECIMALS, 'numeric'],
    kind: 'REFUSED',
    since: 16,
    applies: (text) => /_|0[xob]/i.test(text),
    examples: ['1_000', '0x1A', '0b101'],
    sluice: 'refused',
    postgres: 'taken from 16 on',
    reason: 'In data it is more often a code than a number, and older servers refuse it.',
  },
  {
    name: 'notation of C',
    types: FLOATS,
    kind: 'REFUSED',
    applies: (text) => /0x|nan\(/i.test(text),
    examples: ['0x1A', '0x1.8p3', 'nan(1)'],
    sluice: 'refused',
    postgres: '26, 12, NaN',
    reason: 'As above; what is taken depends on the C library of the server.',
  },
  {
    name: 'NaN of a fixed scale',
    types: DECIMALS,
    kind: 'REFUSED',
    applies: (text) => full('nan', 'i').test(text),
    examples: ['NaN'],
    sluice: 'refused; taken without a precision',
    postgres: 'NaN',
    reason: 'The engine computes with exact decimals, which have none.',
  },
  {
    name: 'blank in a number',
    types: [...DECIMALS, 'numeric'],
    kind: 'REFUSED',
    until: 15,
    applies: (text) => /e\s+[+-]?\d/i.test(text),
    examples: ['12e 1'],
    sluice: 'refused',
    postgres: '120 up to 15, refused from 16 on',
    reason: 'More likely two values than one; nothing is guessed.',
  },
  {
    name: 'blanks beyond the length',
    types: ['character varying(5)', 'character(5)'],
    kind: 'REFUSED',
    applies: (text) => [...text].length > 5 && [...text].slice(5).every((character) => character === ' '),
    examples: ['abcde  '],
    sluice: 'refused; `normalize` with TRIM takes them off',
    postgres: 'cut off',
    reason: 'Nothing is cut without a word.',
  },
  {
    name: 'second 60',
    types: [...MOMENTS, TIME],
    kind: 'REFUSED',
    applies: (text) => SECOND_60.test(text),
    examples: ['2016-12-31 23:59:60'],
    sluice: 'refused',
    postgres: 'the next minute',
    reason: 'The value would be another one without a word.',
  },
  {
    name: 'name of a time zone',
    types: [...MOMENTS, TIME],
    kind: 'REFUSED',
    applies: (text) => NAMED_ZONE.test(text),
    examples: ['2026-01-02 10:00:00 Europe/Berlin', '2026-01-02 10:00:00 IST'],
    sluice: 'refused, but for UTC; write the offset',
    postgres: 'taken, or dropped without a time zone in the type',
    reason: 'What a name means depends on tables and settings of the server; IST has three meanings.',
  },
  {
    name: 'date before a time',
    types: [TIME],
    kind: 'REFUSED',
    applies: (text) => new RegExp(`${DATE}.*:`).test(text),
    examples: ['2026-01-02 10:20:30'],
    sluice: 'refused; cast to TIMESTAMP first',
    postgres: 'the time',
    reason: 'A part of the value would be lost without a word.',
  },
  {
    name: 'date that depends on the clock',
    types: MOMENTS,
    kind: 'REFUSED',
    applies: (text) => full('now|today|tomorrow|yesterday', 'i').test(text),
    examples: ['today'],
    sluice: 'refused',
    postgres: 'the day of the load',
    reason: 'Loading again has to give the same rows.',
  },
  {
    name: 'other notation of dates and times',
    types: MOMENTS,
    kind: 'REFUSED',
    applies: (text) => !ISO_MOMENT.test(text) && !WORD.test(text),
    examples: ['02/03/2026', '20260102', 'Jan 2 2026', '2026-01-02 10:20 PM', '2026-01-02 10:00:00+2', 'J2461043'],
    sluice: 'refused; give a `format`',
    postgres: 'taken, some by `DateStyle`',
    reason:
      'The same text can be two dates; nothing is guessed. ISO 8601 is taken, also with one digit for two, slashes, and BC.',
  },
  {
    name: 'other notation of times',
    types: [TIME],
    kind: 'REFUSED',
    applies: (text) => !ISO_TIME.test(text),
    examples: ['10:20 PM', '102030', 'allballs', '10:20.5', '10:20:30+2'],
    sluice: 'refused; give a `format`',
    postgres: 'taken',
    reason: 'As for dates.',
  },
  {
    name: 'far future',
    types: ['timestamp without time zone', 'timestamp with time zone'],
    kind: 'REFUSED',
    applies: (text) => Number.parseInt(text.trim(), 10) >= 294_247,
    examples: ['294276-12-31 23:59:59'],
    sluice: 'refused after January of the year 294247',
    postgres: 'taken up to the end of 294276',
    reason: 'The engine counts microseconds in 64 bits from 1970 on, PostgreSQL from 2000.',
  },
  {
    name: 'moment without an offset',
    types: ['timestamp with time zone'],
    kind: 'OTHER_VALUE',
    timeZone: 'America/New_York',
    applies: (text, { timeZone }) => timeZone !== 'UTC' && !new RegExp(`:\\d\\d?(?:\\.\\d*)?${OFFSET}`).test(text),
    examples: ['2026-01-02 10:00:00'],
    sluice: 'UTC',
    postgres: '`TimeZone` of the session',
    reason: 'The same file has to give the same rows on every server.',
  },
  {
    name: 'JSON that jsonb cannot hold',
    types: ['json'],
    kind: 'REFUSED',
    applies: (text) => hasLoneEscape(text) || hasHugePower(text),
    examples: ['"a\\u0000b"', '"\\ud800"', '1e131072'],
    sluice: 'refused',
    postgres: 'taken as json, refused as jsonb',
    reason: 'JSON is one type to the engine, which no other reader of it would refuse.',
  },
];

/** What became of a row that the two do not agree on. */
export type Disagreeing = 'WRONG_ACCEPT' | 'WRONG_REJECT' | 'OTHER_VALUE';

/** Another value can also be one out of range. */
const EXCUSED: Readonly<Record<Difference['kind'], readonly Disagreeing[]>> = {
  REFUSED: ['WRONG_REJECT'],
  OTHER_VALUE: ['WRONG_REJECT', 'OTHER_VALUE'],
  ANY: ['WRONG_ACCEPT', 'WRONG_REJECT', 'OTHER_VALUE'],
};

/** Whether servers of that major version have the difference. */
export const isOf = ({ since = 0, until = Number.POSITIVE_INFINITY }: Difference, server: number): boolean =>
  since <= server && server <= until;

/** The rule that excuses a difference, if one does. */
export function excuse(kind: Disagreeing, text: string, circumstances: Circumstances): Difference | undefined {
  return DIFFERENCES.find(
    (rule) =>
      isOf(rule, circumstances.server) &&
      EXCUSED[rule.kind].includes(kind) &&
      rule.types.includes(circumstances.type) &&
      rule.applies(text, circumstances),
  );
}
