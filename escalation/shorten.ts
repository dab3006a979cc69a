/** Where something was left out, and how much of it is there. */
export interface Truncation {
  /** JSON pointer (RFC 6901). */
  readonly path: string;
  readonly kept: number;
  readonly of: number;
  readonly unit: 'items' | 'keys' | 'characters';
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Place {
  readonly path: string;
  /** Bytes of its JSON without the heaviest part of it: what can be saved by leaving parts out. */
  readonly weight: number;
  readonly value: Json;
  replace(value: Json): void;
}

/** Lists lighter than this are not worth losing anything of, as long as there is something else to shorten. */
const LIGHT = 2_048;
const SHORT = 256;

const bytes = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

/**
 * Shortens a JSON object to at most `maxBytes`: the heaviest lists first, to their first half and again; then long
 * texts; then whatever is left. @returns what is left, and what was left out, each place once
 */
export function shorten(
  value: Readonly<Record<string, unknown>>,
  maxBytes: number,
): { readonly value: Record<string, unknown>; readonly truncated: readonly Truncation[] } {
  // JSON by its caller's word, and a copy that can be written to.
  const root = { value: JSON.parse(JSON.stringify(value)) as { [key: string]: Json } };
  const truncated = new Map<string, Truncation>();
  const over = (): boolean => bytes(root.value) + bytes([...truncated.values()] as unknown as Json) > maxBytes;
  for (const isWorthIt of [heavyList, longText, anything]) {
    while (over()) {
      const place = heaviest(root, isWorthIt);
      if (!place) break;
      halve(place, truncated);
    }
  }
  return { value: root.value, truncated: [...truncated.values()].filter(({ path }) => isThere(root.value, path)) };
}

const heavyList = ({ value, weight }: Place): boolean => Array.isArray(value) && value.length > 1 && weight > LIGHT;
const longText = ({ value }: Place): boolean => typeof value === 'string' && value.length > SHORT;
const anything = ({ value }: Place): boolean => typeof value === 'object' && value !== null && sizeOf(value) > 0;

const sizeOf = (value: Json): number =>
  typeof value === 'string'
    ? value.length
    : typeof value === 'object' && value !== null
      ? Object.keys(value).length
      : 0;

function heaviest(root: { value: Json }, isWorthIt: (place: Place) => boolean): Place | undefined {
  let best: Place | undefined;
  const visit = (value: Json, path: string, replace: (value: Json) => void): number => {
    let total = 2;
    let heaviestPart = 0;
    if (typeof value !== 'object' || value === null) total = bytes(value);
    else {
      for (const [key, item] of Object.entries(value)) {
        const put = (next: Json) => Object.assign(value, { [key]: next });
        const own = visit(item, `${path}/${pointer(key)}`, put) + (Array.isArray(value) ? 1 : bytes(key) + 2);
        heaviestPart = Math.max(heaviestPart, own);
        total += own;
      }
    }
    const isBranch = typeof value === 'object' && value !== null && sizeOf(value) > 1;
    const place: Place = { path, weight: isBranch ? total - heaviestPart : total, value, replace };
    if ((!best || place.weight > best.weight) && isWorthIt(place)) best = place;
    return total;
  };
  visit(root.value, '', (value) => {
    root.value = value;
  });
  return best;
}

const pointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

function halve({ path, value, replace }: Place, truncated: Map<string, Truncation>): void {
  const size = sizeOf(value);
  const kept = Math.floor(size / 2);
  const of = truncated.get(path)?.of ?? size;
  if (typeof value === 'string') {
    // Never half of a surrogate pair.
    replace(Buffer.from(value.slice(0, kept), 'utf8').toString('utf8'));
    truncated.set(path, { path, kept, of, unit: 'characters' });
  } else if (Array.isArray(value)) {
    replace(value.slice(0, kept));
    truncated.set(path, { path, kept, of, unit: 'items' });
  } else if (value !== null && typeof value === 'object') {
    replace(Object.fromEntries(Object.entries(value).slice(0, kept)));
    truncated.set(path, { path, kept, of, unit: 'keys' });
  }
}

/** Whether the place is still there: what holds it may have been shortened after it. */
function isThere(root: Json, path: string): boolean {
  let value: Json | undefined = root;
  for (const part of path.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return false;
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!Object.hasOwn(value, key)) return false;
    value = (value as { [key: string]: Json })[key];
  }
  return true;
}
