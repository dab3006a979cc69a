/** Of the escapes that COPY's text format knows, those that stand for another character than themselves. */
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function decodeField(field: string): string | null {
  if (field === '\\N') return null;
  if (!field.includes('\\')) return field;
  return field.replace(/\\(.)/gs, (_, character: string) => ESCAPED[character] ?? character);
}

/** The values of a line of a part, without its line feed, as PostgreSQL's input functions are given them. */
export const decodeLine = (line: string): readonly (string | null)[] => line.split('\t').map(decodeField);
