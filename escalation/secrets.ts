/** Stands where something was that nobody but its owner may read. */
export const REDACTED = '[redacted]';

/** Words of a key whose value is a secret, whatever it is. */
const SECRET_WORDS = new Set(
  (
    'auth authorization cookie credential credentials dsn pass passphrase passwd password pwd secret secrets ' +
    'signature token tokens apikey salt pepper'
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

/** Whether what stands under the key is a secret, whatever it is. */
export function isSecretKey(key: string): boolean {
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

/** The text without the credentials in it. */
export const withoutCredentials = (text: string): string =>
  SECRETS_IN_TEXT.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
