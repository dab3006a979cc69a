import { isSafeNumber, LosslessNumber } from 'lossless-json';

/** A JSON number without silent rounding: a double when that is exact, else a bigint, else its digits. */
export type ExactNumber = number | bigint | LosslessNumber;

/** @param text a number as JSON or GraphQL writes it */
export function exactNumber(text: string): ExactNumber {
  if (/^-?\d+$/.test(text)) {
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : BigInt(text);
  }
  return isSafeNumber(text) ? Number(text) : new LosslessNumber(text);
}
