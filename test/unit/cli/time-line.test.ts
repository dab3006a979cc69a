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
  it('draws waits in proportion, each with its length, and names the worst cases', () => {
    const events = [event('PT0S', 'Asks layer-20.'), event('PT30M', 'Asks domain-3.'), event('PT2H', 'Asks agent-0.')];
    expect(timeLine({ events, ceoAfter: 'PT2H', endAfter: 'PT4H' })).toEqual([
      'at once  ●  Asks layer-20.',
      '         │  30 min',
      '         │',
      ' 30 min  ●  Asks domain-3.',
      '         │',
      '         │',
      '         │  1 h 30 min',
      '         │',
      '         │',
      '         │',
      '    2 h  ●  Asks agent-0.',
      '',
      'Worst case to the CEO: 2 h.',
      'Worst case to the end of the ladder: 4 h.',
    ]);
  });

  it('names a time once for what happens together, and escapes control characters', () => {
    const lines = timeLine({
      events: [event('PT0S', 'a'), event('PT0S', 'b\u001b[31m')],
      ceoAfter: null,
      endAfter: 'PT0S',
    });
    expect(lines.slice(0, 3)).toEqual(['at once  ●  a', '         ●  b\\u001b[31m', '']);
    expect(lines).toContain('The CEO is never asked.');
  });

  it('says who is who, each once', () => {
    const chief = { id: 'chief-2', name: 'Core Division' };
    const ceo = { id: 'agent-0', name: 'ESA Orchestrator' };
    const events = [
      { ...event('PT0S', 'a'), agents: [chief] },
      { ...event('PT1H', 'b'), agents: [ceo, chief] },
    ];
    const lines = timeLine({ events, ceoAfter: 'PT1H', endAfter: 'PT3H' });
    expect(lines.filter((line) => /^(chief-2|agent-0)/.test(line))).toEqual([
      'chief-2  Core Division',
      'agent-0  ESA Orchestrator',
    ]);
  });

  it('draws once what repeats for a week', () => {
    const again = Array.from({ length: 83 }, (_, i) => event(`PT${2 * i + 2}H`, 'Asks agent-0 again.'));
    const events = [event('PT0S', 'Asks agent-0.'), ...again, event('PT168H', 'Nobody is left.')];
    const lines = timeLine({ events, ceoAfter: 'PT0S', endAfter: 'PT168H' }).join('\n');
    expect(lines.match(/Asks agent-0 again/g)).toHaveLength(1);
    expect(lines).toContain('the same every 2 h, 82 times more');
    expect(lines).toContain('7 d  ●  Nobody is left.');
  });

  it('keeps a long ladder short enough to be read', () => {
    const events = Array.from({ length: 21 }, (_, i) => event(`PT${i * i}H`, `Asks for time ${i}.`));
    expect(timeLine({ events, ceoAfter: null, endAfter: 'PT400H' }).length).toBeLessThan(50);
  });
});
