import { SluiceError } from '../core/errors.js';

/** Where a page of a list ended: the values of its sort key, as text. */
export type CursorKey = readonly string[];

/** @param list names the list and its order, so that a cursor of another one is told apart */
export function encodeCursor(list: string, key: CursorKey): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString('base64url');
}

/** @throws SluiceError CURSOR_INVALID when it was not made by this list, or a value does not look like one of its key */
export function decodeCursor(list: string, cursor: string, shapes: readonly RegExp[]): CursorKey {
  const [madeBy, ...key] = readTexts(cursor);
  const fits = madeBy === list && key.length === shapes.length && shapes.every((shape, i) => shape.test(key[i] ?? ''));
  if (!fits) throw cursorInvalid();
  return key;
}

export const cursorInvalid = (cause?: unknown): SluiceError =>
  new SluiceError('CURSOR_INVALID', 'The cursor was not made by this query; start again without it.', {
    path: ['after'],
    cause,
  });

function readTexts(cursor: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed.every((item) => typeof item === 'string')) return parsed;
  } catch {
    // Not base64url of JSON: not ours.
  }
  return [];
}

/** A timestamp as Postgres prints it, with its microseconds: a Date would lose them, and rows between two pages. */
export const TIMESTAMP_KEY = /^(infinity|\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2})$/;
export const ID_KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const NUMBER_KEY = /^-?\d{1,19}$/;
// Postgres has no NUL in text.
export const TEXT_KEY = /^[^\0]*$/;
