import { describe, expect, it } from 'vitest';
import type { SimulatedEvent } from '../../../src/cli/simulation-operations.js';
import { durationMs, timeLine } from '../../../src/cli/time-line.js';

const event = (at: string, description: string): SimulatedEvent => ({
  ...{ at, description, kind: 'DUE', status: 'ASKING', step: 0, round: 0, agents: [] },
});

describe('durationMs', () => {
  it.each([
    ['PT0S', 0],
    ['PT30M', 1_800_000],
    ['PT26H', 93_600_000],
    ['PT1H0.5S', 3_600_500],
  ])('reads %s', (text, ms) => expect(durationMs(text)).toBe(ms));
});

describe('timeLine', () => {
  it('draws waits in proportion and names the worst cases', () => {
    const events = [event('PT0S', 'Asks layer-20.'), event('PT30M', 'Asks domain-3.'), event('PT2H', 'Asks agent-0.')];
    expect(timeLine({ events, ceoAfter: 'PT2H', endAfter: 'PT4H' })).toEqual([
      '    at once  o  Asks layer-20.',
      '             |',
      '             |',
      '30 min 00 s  o  Asks domain-3.',
      ...Array.from({ length: 6 }, () => '             |'),
      ' 2 h 00 min  o  Asks agent-0.',
      '',
      'Worst case to the CEO: 2 h 00 min.',
      'Worst case to the end of the ladder: 4 h 00 min.',
    ]);
  });

  it('names a time once for what happens together, and escapes control characters', () => {
    const lines = timeLine({
      events: [event('PT0S', 'a'), event('PT0S', 'b\u001b[31m')],
      ceoAfter: null,
      endAfter: 'PT0S',
    });
    expect(lines.slice(0, 3)).toEqual(['at once  o  a', '         o  b\\u001b[31m', '']);
    expect(lines).toContain('The CEO is never asked.');
  });

  it('leaves the middle of a long ladder out', () => {
    const events = Array.from({ length: 84 }, (_, i) => event(`PT${2 * i}H`, `Asks for time ${i}.`));
    const lines = timeLine({ events, ceoAfter: 'PT0S', endAfter: 'PT168H' });
    expect(lines.length).toBeLessThan(60);
    expect(lines.join('\n')).toMatch(/59 more, in the same way/);
    expect(lines.join('\n')).toMatch(/Asks for time 83/);
  });
});
