import { expect, test } from 'vitest';
import { followBreach, type MonitorMemory } from '../../../../src/jobs/monitors/follow-breach.js';

/** What looks a minute apart report, when a breach has to last two minutes. */
function reports(...looks: (boolean | null)[]) {
  let memory: MonitorMemory | null = null;
  return looks.map((breached, minute) => {
    const followed = followBreach(memory, breached, new Date(minute * 60_000), 120_000);
    memory = followed.memory;
    return followed.report;
  });
}

const bad = true;
const good = false;
const dark = null;

test.each<[string, (boolean | null)[], ('FAILED' | 'RECOVERED' | null)[]]>([
  ['a breach that lasts is reported once', [bad, bad, bad, bad, bad], [null, null, 'FAILED', null, null]],
  ['a short one is not', [bad, bad, good, bad, bad], [null, null, null, null, null]],
  ['one that cannot be told for a moment begins anew', [bad, bad, dark, bad], [null, null, null, null]],
  [
    'an end that lasts is reported once',
    [bad, bad, bad, good, good, good, good],
    [null, null, 'FAILED', null, null, 'RECOVERED', null],
  ],
  [
    'a short end is none',
    [bad, bad, bad, good, good, bad, good, good],
    [null, null, 'FAILED', null, null, null, null, null],
  ],
  [
    'what cannot be told ends nothing',
    [bad, bad, bad, dark, dark, dark, dark],
    [null, null, 'FAILED', null, null, null, null],
  ],
  [
    'a second breach is reported again',
    [bad, bad, bad, good, good, good, bad, bad, bad],
    [null, null, 'FAILED', null, null, 'RECOVERED', null, null, 'FAILED'],
  ],
])('%s', (_title, looks, expected) => {
  expect(reports(...looks)).toEqual(expected);
});
