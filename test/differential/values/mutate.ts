import fc from 'fast-check';

/** What stands around values in real files. The vertical tab is white space to C and not to everybody else. */
export const BLANKS = [' ', '  ', '\t', '\n', '\r', '\u000b', '\f', '\u00a0', '\u2003'] as const;

/** A text with one character more, less or another, mostly from the alphabet of its type. */
function edited(text: string, alphabet: string): fc.Arbitrary<string> {
  const characters = [...text];
  return fc
    .record({
      at: fc.nat({ max: characters.length }),
      removed: fc.integer({ min: 0, max: 2 }),
      inserted: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...alphabet) },
        { weight: 3, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 1 }) },
      ),
    })
    .map(({ at, removed, inserted }) => characters.toSpliced(at, removed, inserted).join(''));
}

/** As it is, or between blanks, or with up to two edits: the values on both sides of every edge. */
export function around(values: fc.Arbitrary<string>, alphabet: string): fc.Arbitrary<string> {
  const once = values.chain((text) => edited(text, alphabet));
  const blank = fc.constantFrom('', ...BLANKS);
  return fc.oneof(
    { weight: 5, arbitrary: values },
    { weight: 2, arbitrary: fc.tuple(blank, values, blank).map((parts) => parts.join('')) },
    { weight: 2, arbitrary: once },
    { weight: 1, arbitrary: once.chain((text) => edited(text, alphabet)) },
  );
}
