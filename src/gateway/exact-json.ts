import { parse } from 'lossless-json';
import { exactNumber } from '../../schema/scalars/exact-number.js';

// Only a number this long can lose digits in a double. JSON.parse is several times faster, and most bodies have none.
const LONG_NUMBER = /[\d.]{16,}/;

/**
 * JSON.parse that rounds nothing silently: an integer beyond 2^53 becomes a bigint, a decimal with too many digits
 * keeps them as a LosslessNumber.
 *
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? parse(text, undefined, exactNumber) : JSON.parse(text);
}
