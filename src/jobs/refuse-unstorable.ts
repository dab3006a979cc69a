import { type InputPath, SluiceError, UserErrors } from '../core/errors.js';

// PostgreSQL's jsonb holds neither NUL nor half of a surrogate pair.
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Refuses a spec whose texts PostgreSQL cannot store. @throws UserErrors INVALID_INPUT with the path of the first */
export function refuseUnstorable(value: unknown, path: InputPath = []): void {
  if (typeof value === 'string') refuseText(value, path);
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) refuseUnstorable(item, [...path, i]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      refuseText(name, path);
      refuseUnstorable(member, [...path, name]);
    }
  }
}

function refuseText(text: string, path: InputPath): void {
  if (!UNSTORABLE.test(text)) return;
  const message = 'The text holds a NUL or half of a surrogate pair, which PostgreSQL cannot store.';
  throw new UserErrors([new SluiceError('INVALID_INPUT', message, { path })]);
}
