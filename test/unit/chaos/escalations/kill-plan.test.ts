import { expect, it } from 'vitest';
import { readArguments } from '../../../chaos/escalations/arguments.js';
import { killPlan } from '../../../chaos/escalations/kill-plan.js';
import { seededFor } from '../../../support/seeded.js';

const plan = (seed: number) => killPlan(seededFor(seed, 'kills'), 1_000, 2, 600);

it('kills the same processes at the same times for the same seed', () => {
  expect(plan(1)).toEqual(plan(1));
  expect(plan(1)).not.toEqual(plan(2));
});

it('kills each process about as often, with the pause that was asked for on average', () => {
  const kills = plan(3);
  const first = kills.filter(({ slot }) => slot === 0).length;
  expect(first).toBeGreaterThan(400);
  expect(first).toBeLessThan(600);
  const pauseMs = kills.reduce((sum, { afterMs }) => sum + afterMs, 0) / kills.length;
  expect(pauseMs).toBeGreaterThan(500);
  expect(pauseMs).toBeLessThan(700);
});

it('kills as the command line says', () => {
  expect(readArguments([], 7)).toEqual({ seed: 7, kills: 1_000, pauseMs: 600, open: 60 });
  expect(readArguments(['--seed', '1', '--kills', '1_0'], 7)).toMatchObject({ seed: 1, kills: 10 });
  expect(() => readArguments(['--kills', 'many'], 7)).toThrow('--kills must be a whole number from 1.');
});
