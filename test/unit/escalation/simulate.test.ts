import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../escalation/policy.js';
import type { SimulateInput } from '../../../escalation/service.js';
import { simulate } from '../../../escalation/simulate.js';
import { aPolicy, aStep, lookup, MINUTE, minute } from './a-policy.js';

type Doing = SimulateInput['behaviour'][number];

const doing = (agent: string, does: Doing['does'], minutes: number, rest: Partial<Doing> = {}): Doing => ({
  agent,
  does,
  afterMs: minutes * MINUTE,
  ...rest,
});

const lines = (policy: Partial<Policy>, behaviour: readonly Doing[] = [], from?: Date) =>
  simulate(aPolicy(policy), 'layer', lookup, behaviour, from).events.map(
    ({ atMs, kind, status, agents, description }) =>
      [atMs / MINUTE, kind, status, agents.join(), description].join(' | '),
  );

describe('a simulation', () => {
  it('reads as what happens', () => {
    expect(lines({}, [doing('domain', 'CLAIM', 10), doing('chief', 'DECIDE', 5, { verdict: 'ABORT' })])).toEqual([
      '0 | OPEN | ASKING | domain | The failure. Asks domain.',
      '10 | CLAIM | CLAIMED | domain | domain: claim.',
      '25 | DUE | ASKING | chief | The wait is over. Asks chief.',
      '30 | DECIDE | DECIDED | chief | chief: decide. ABORT is carried out.',
      '30 | APPLIED | RESOLVED |  | The verdict has acted on the job.',
    ]);
  });

  it('shows what an agent would be refused', () => {
    const steps = [aStep({ waitMs: 90_000 })];
    expect(lines({ steps }, [doing('chief', 'DECIDE', 1, { verdict: 'SKIP_ROWS' })])).toEqual([
      '0 | OPEN | ASKING | chief | The failure. Asks chief.',
      '1 | REFUSED | ASKING | chief | chief cannot decide: SKIP_ROWS cannot be chosen here: choose one of RETRY, ABORT.',
      '1.5 | DUE | HELD |  | The wait is over. Nobody is left; the job stays held.',
    ]);
  });

  it('carries the end action out', () => {
    expect(lines({ steps: [aStep()], endAction: 'ABORT' }).slice(1)).toEqual([
      '60 | DUE | HELD |  | The wait is over. Nobody is left; ABORT.',
      '60 | DECIDE | DECIDED | engine | engine: decide. ABORT is carried out.',
      '60 | APPLIED | RESOLVED |  | The verdict has acted on the job.',
    ]);
  });

  it('begins when it is told to, so that maintenance falls where it will', () => {
    const maintenance = [{ from: minute(1_000), to: minute(1_010) }];
    expect(lines({ steps: [aStep()], maintenance }, [], minute(1_005)).slice(0, 2)).toEqual([
      '0 | OPEN | SNOOZED |  | The failure. Nobody is asked during maintenance.',
      '5 | DUE | ASKING | chief | The wait is over. Asks chief.',
    ]);
  });

  it('waits where there is nobody to ask, if the policy wants that', () => {
    const steps = [aStep(), aStep({ ask: [{ role: 'PEER' }], onEmpty: 'WAIT' })];
    expect(lines({ steps })[1]).toBe('60 | DUE | ASKING |  | The wait is over. There is nobody to ask.');
  });

  it('takes what is due before what an agent does at the same time, who comes late and may still decide', () => {
    expect(lines({}, [doing('domain', 'DECIDE', 30)]).map((line) => line.split(' | ').slice(0, 2).join(' '))).toEqual([
      '0 OPEN',
      '30 DUE',
      '30 DECIDE',
      '30 APPLIED',
    ]);
  });

  it('tells the worst cases of silence, whatever agents do', () => {
    const worst = { ceoAfterMs: 90 * MINUTE, endAfterMs: 210 * MINUTE };
    expect(simulate(aPolicy(), 'layer', lookup, [])).toMatchObject(worst);
    expect(simulate(aPolicy(), 'layer', lookup, [doing('domain', 'DECIDE', 1)])).toMatchObject(worst);
    const withoutCeo = aPolicy({ steps: [aStep()] });
    expect(simulate(withoutCeo, 'layer', lookup, [])).toMatchObject({ ceoAfterMs: null, endAfterMs: 60 * MINUTE });
  });

  it('plays the longest ladder that a policy may have, and refuses what nobody could read', () => {
    const agents = Array.from({ length: 50 }, (_, index) => `layer-${index}`);
    const crowd = agents.map((agent) => doing(agent, 'ACKNOWLEDGE', 1));
    const one = aPolicy({ steps: agents.slice(0, 20).map((agent) => aStep({ ask: [{ agent }] })), repeat: 100 });
    expect(simulate(one, 'layer', lookup, []).events).toHaveLength(20 * 101 + 1);
    expect(simulate(one, 'layer', lookup, crowd).events).toHaveLength(2 * 20 * 101 + 1);
    const refused = expect.objectContaining({ code: 'INVALID_INPUT', path: ['behaviour'] });
    const everybody = aPolicy({ steps: [aStep({ ask: agents.map((agent) => ({ agent })) })], repeat: 100 });
    const often = { ...everybody, steps: [...everybody.steps, ...one.steps, ...everybody.steps] };
    expect(() => simulate(often, 'layer', lookup, crowd)).toThrow(refused);
    expect(() => simulate(one, 'layer', lookup, [...crowd, ...crowd])).toThrow(refused);
  });

  it.each([
    ['an agent who does not exist', doing('ghost', 'CLAIM', 1), 'UNKNOWN_AGENT', ['behaviour', 0, 'agent']],
    ['a time before being asked', doing('chief', 'CLAIM', -1), 'INVALID_INPUT', ['behaviour', 0, 'after']],
    ['a time that is none', doing('chief', 'CLAIM', Number.NaN), 'INVALID_INPUT', ['behaviour', 0, 'after']],
    ['a time beyond a year', doing('chief', 'CLAIM', 600_000), 'INVALID_INPUT', ['behaviour', 0, 'after']],
  ])('refuses %s', (_what, behaviour, code, path) => {
    expect(() => simulate(aPolicy(), 'layer', lookup, [behaviour])).toThrow(expect.objectContaining({ code, path }));
  });
});
