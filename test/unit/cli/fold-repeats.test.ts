import { describe, expect, it } from 'vitest';
import { foldRepeats } from '../../../src/cli/fold-repeats.js';

/** A moment a letter, an hour apart; `times` of the whole for a fold. */
const folded = (letters: string) =>
  foldRepeats([...letters].map((text, i) => ({ ms: i, waitMs: i === 0 ? 0 : 1, text })))
    .map((one) => ('times' in one ? `(${one.times}x${one.everyMs})` : one.text))
    .join('');

describe('what repeats on a time line', () => {
  it.each([
    ['', ''],
    ['abc', 'abc'],
    ['abb', 'abb'],
    ['abbb', 'ab(2x1)'],
    ['abbbbbc', 'ab(4x1)c'],
    ['xabababc', 'xab(2x2)c'],
    ['xababa', 'xababa'],
    ['xabcabcabcabx', 'xabc(2x3)abx'],
    ['xbbbccc', 'xb(2x1)c(2x1)'],
  ])('%s is drawn as %s', (letters, drawn) => expect(folded(letters)).toBe(drawn));

  it('is not the same when the wait differs', () => {
    const moments = [1, 2, 3, 4].map((waitMs) => ({ ms: 0, waitMs, text: 'a' }));
    expect(foldRepeats(moments)).toEqual(moments);
  });

  it('may be as long as the longest ladder there is', () => {
    const moments = Array.from({ length: 2_020 }, (_, i) => ({ ms: i, waitMs: 1, text: `step ${i % 20}` }));
    const shown = foldRepeats(moments);
    expect(shown).toHaveLength(21);
    expect(shown.at(-1)).toEqual({ times: 100, everyMs: 20 });
  });
});
