import { createHash } from 'node:crypto';

/** Plain JSON of any value: dates as text, big integers too, and nothing that PostgreSQL's jsonb cannot hold. */
export function plainJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return item.toString();
    return typeof item === 'string' ? storable(item) : storableKeys(item);
  });
  return text === undefined ? null : JSON.parse(text);
}

/** jsonb has no NUL, and no half of a surrogate pair: UTF-8 has none either, and puts U+FFFD there. */
const storable = (text: string): string => Buffer.from(text.replaceAll('\u0000', '\uFFFD'), 'utf8').toString('utf8');

function storableKeys(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
  const entries = Object.entries(item);
  if (entries.every(([key]) => storable(key) === key)) return item;
  return Object.fromEntries(entries.map(([key, value]) => [storable(key), value]));
}

/** One text for one value, whatever the order of its keys: RFC 8785's idea, for values that `plainJson` made. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** The content address of a value: sha256, in hexadecimal. */
export const contentAddress = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex');
