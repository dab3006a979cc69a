import fc, { type Arbitrary } from 'fast-check';

/** One value of a CSV file. */
export interface Value {
  /** As it stands in the file, between the delimiters. */
  readonly written: Buffer;
  /** What it means; null is an unquoted empty one. Bytes that are no UTF-8 are replaced. */
  readonly text: string | null;
}

const NEEDS_QUOTES = /[",\r\n]/;

const quoted = (bytes: Buffer): Buffer => Buffer.from(`"${bytes.toString('latin1').replaceAll('"', '""')}"`, 'latin1');

/** Values as a file has them: quoted where they must be, and now and then where they need not; some are missing. */
export function valuesOf(values: Arbitrary<string | Buffer>, count: number, seed: number): readonly Value[] {
  const value = fc.tuple(values, fc.nat({ max: 99 })).map(([given, dice]): Value => {
    if (dice === 0) return { written: Buffer.of(), text: null };
    const bytes = Buffer.from(given);
    const isQuoted = dice % 2 === 0 || bytes.length === 0 || NEEDS_QUOTES.test(bytes.toString('latin1'));
    return { written: isQuoted ? quoted(bytes) : bytes, text: bytes.toString('utf8') };
  });
  return fc.sample(value, { numRuns: count, seed });
}

/** The values of a type whose texts are fields already, quotes and all. */
export function fieldsOf(fields: Arbitrary<string | Buffer>, count: number, seed: number): readonly Value[] {
  const sampled = fc.sample(fields, { numRuns: count, seed });
  return sampled.map((field) => ({ written: Buffer.from(field), text: field.toString() }));
}

/** The record of a row, as bytes with its line end: what both sides read. */
export const record = (id: number, { written }: Value): Buffer =>
  Buffer.concat([Buffer.from(`${id},`), written, Buffer.from('\n')]);
