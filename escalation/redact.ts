/** Stands where something was that nobody but its owner may read. */
export const REDACTED = '[redacted]';

/** Deeper values than this are no evidence that anybody reads. */
const MAX_DEPTH = 32;
const TOO_DEEP = '[deeper values left out]';

/** Words of a key whose value is a secret, whatever it is. */
const SECRET_WORDS = new Set(
  (
    'auth authorization cookie credential credentials dsn pass passphrase passwd password pwd secret secrets ' +
    'signature token tokens apikey'
  ).split(' '),
);
/** Pairs of words that are one together. */
const SECRET_PAIRS =
  /(?:^| )(?:api|access|private|signing|encryption) key(?: |$)|(?:^| )connection (?:string|url|uri)(?: |$)/;

/** `userPassword`, `user_password`, `USER-PASSWORD` and `user password` are the same words. */
const wordsOf = (key: string): string =>
  key
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/[^\p{L}\d]+/gu, ' ')
    .trim()
    .toLowerCase();

function isSecretKey(key: string): boolean {
  const words = wordsOf(key);
  return words.split(' ').some((word) => SECRET_WORDS.has(word)) || SECRET_PAIRS.test(words);
}

const SECRETS_IN_TEXT: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Credentials of a URL, passwords with an @ in them included.
  [/\b([a-z][a-z\d+.-]*:\/\/)[^\s/?#]*@/gi, `$1${REDACTED}@`],
  // `password=...` of connection strings, query strings and command lines; with quotes or without.
  [
    /\b((?:[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key)|pwd)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&;,"'}\]]+)/gi,
    `$1${REDACTED}`,
  ],
  [/\b(bearer|basic)\s+[\w~+/.=-]{8,}/gi, `$1 ${REDACTED}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
];

/** PostgreSQL names the columns of a key, and then their values. */
const KEY_DETAIL =
  /Key \(([^)]*)\)=\((.*?)\)(?= (?:already exists|is not present|is still referenced|conflicts)|[.;]|$)/g;
const ROW_DETAIL = /(Failing row contains )\(.*\)/gs;

function redactText(text: string, sensitive: ReadonlySet<string>): string {
  let clean = text;
  for (const [pattern, replacement] of SECRETS_IN_TEXT) clean = clean.replace(pattern, replacement);
  if (sensitive.size === 0) return clean;
  clean = clean.replace(ROW_DETAIL, `$1(${REDACTED})`);
  return clean.replace(KEY_DETAIL, (whole, columns: string) =>
    columns.split(',').some((column) => sensitive.has(nameOf(column))) ? `Key (${columns})=(${REDACTED})` : whole,
  );
}

const nameOf = (column: string): string => column.trim().replace(/^"|"$/g, '').toLowerCase();

/** A record as it was read: JSON text of its columns, or a line whose columns nobody can tell apart. */
function redactRecord(raw: string, sensitive: ReadonlySet<string>, depth: number): string {
  if (sensitive.size === 0) return redactText(raw, sensitive);
  try {
    const record: unknown = JSON.parse(raw);
    if (typeof record === 'object' && record !== null && !Array.isArray(record))
      return JSON.stringify(clean(record, sensitive, depth + 1));
  } catch {
    // No JSON.
  }
  return REDACTED;
}

function clean(value: unknown, sensitive: ReadonlySet<string>, depth: number): unknown {
  if (typeof value === 'string') return redactText(value, sensitive);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return TOO_DEEP;
  if (Array.isArray(value)) return value.map((item) => clean(item, sensitive, depth + 1));
  // What is wrong with a value is often told with the value.
  const isAbout = 'column' in value && typeof value.column === 'string' && sensitive.has(value.column.toLowerCase());
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (isAbout && key === 'message') return [key, REDACTED];
      if (isSecretKey(key) || (sensitive.has(key.toLowerCase()) && !isListOfNames(key))) return [key, REDACTED];
      if (key === 'raw' && typeof item === 'string') return [key, redactRecord(item, sensitive, depth)];
      return [key, clean(item, sensitive, depth + 1)];
    }),
  );
}

/** The very list that says what is sensitive. */
const isListOfNames = (key: string): boolean => key === 'sensitiveColumns';

/**
 * The same JSON without what must not be shown to whoever decides: values under keys that name a secret, credentials
 * inside texts, and values of sensitive columns, in `raw` records too.
 * @param sensitiveColumns whatever their case
 */
export function redact(value: unknown, sensitiveColumns: readonly string[] = []): unknown {
  return clean(value, new Set(sensitiveColumns.map((column) => column.toLowerCase())), 0);
}
