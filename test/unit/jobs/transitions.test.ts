import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isFinal,
  JOB_STATES,
  type JobState,
  type JobTransition,
  nextState,
  statesAllowing,
  TRANSITIONS,
} from '../../../src/jobs/job.js';
import { guardOf } from '../../../src/store/job-change.js';

const ALL: readonly JobTransition[] = [
  'CLAIM',
  'RELEASE',
  'RETRY',
  'DUE',
  'SUCCEED',
  'FAIL',
  'DIE',
  'CANCEL',
  'HOLD',
  'DECIDE',
  'PAUSE',
  'RESUME',
  'REDRIVE',
  'REVIVE',
];
const seed = Date.now() % 2 ** 31;

describe('the table of job states', () => {
  it('can be walked at random without leaving it, and never out of SUCCEEDED or CANCELLED', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ALL), { maxLength: 60 }), (steps) => {
        let state: JobState = 'QUEUED';
        for (const step of steps) {
          const next = nextState(state, step);
          if (next === undefined) continue;
          expect(JOB_STATES).toContain(next);
          expect(['SUCCEEDED', 'CANCELLED']).not.toContain(state);
          // Nothing succeeds or is tried again that did not run.
          if (next === 'SUCCEEDED' || next === 'RETRYING') expect(state).toBe(step === 'REVIVE' ? 'DEAD' : 'RUNNING');
          if (isFinal(state)) expect(['REDRIVE', 'REVIVE', 'CANCEL']).toContain(step);
          state = next;
        }
      }),
      { seed, verbose: 1 },
    );
  });

  it('reaches every state from QUEUED', () => {
    const reached = new Set<JobState>(['QUEUED']);
    for (const state of reached) for (const next of Object.values(TRANSITIONS[state])) reached.add(next);
    expect([...reached].sort()).toEqual([...JOB_STATES].sort());
  });

  it('leads each transition to one state, whatever it starts from, so that one guarded update can make it', () => {
    for (const transition of ALL) {
      const { from, to } = guardOf(transition);
      expect(from).toEqual(statesAllowing(transition));
      for (const state of JOB_STATES) {
        expect(nextState(state, transition)).toBe(from.includes(state) ? to : undefined);
      }
    }
  });
});
