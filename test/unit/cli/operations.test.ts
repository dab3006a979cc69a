import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSluiceSchema } from '../../../schema/build.js';
import {
  DISCARD_DEAD_LETTERS,
  GROUP_DEAD_LETTERS,
  LIST_DEAD_LETTERS,
  REDRIVE_DEAD_LETTERS,
} from '../../../src/cli/dead-letter-operations.js';
import {
  ACKNOWLEDGE,
  ESCALATION_VERSION,
  LIST_ESCALATIONS,
  LOG_STATUS,
  SHOW_ESCALATION,
  SUBMIT_VERDICT,
} from '../../../src/cli/escalation-operations.js';
import { CANCEL, LIST_JOBS, PAUSE, RESUME, RETRY, SHOW_JOB } from '../../../src/cli/job-operations.js';
import { LAUNCH, REPORT, STATE, WATCH } from '../../../src/cli/operations.js';
import {
  DISCARD_ROWS,
  FIX_ROWS,
  GROUP_QUARANTINE,
  LIST_QUARANTINE,
  REPLAY_ROWS,
} from '../../../src/cli/quarantine-operations.js';
import { PAUSE_QUEUE, QUEUE_STATS, RESUME_QUEUE } from '../../../src/cli/queue-operations.js';
import { POLICIES, SIMULATE } from '../../../src/cli/simulation-operations.js';

const ESCALATIONS = [
  LIST_ESCALATIONS,
  SHOW_ESCALATION,
  ESCALATION_VERSION,
  ACKNOWLEDGE,
  SUBMIT_VERDICT,
  LOG_STATUS,
  POLICIES,
  SIMULATE,
];

const QUARANTINE = [LIST_QUARANTINE, GROUP_QUARANTINE, FIX_ROWS, REPLAY_ROWS, DISCARD_ROWS];

const STEERING = [LIST_JOBS, SHOW_JOB, CANCEL, PAUSE, RESUME, RETRY, QUEUE_STATS, PAUSE_QUEUE, RESUME_QUEUE];

const DEAD_LETTERS = [LIST_DEAD_LETTERS, GROUP_DEAD_LETTERS, REDRIVE_DEAD_LETTERS, DISCARD_DEAD_LETTERS];

describe('what the client asks', () => {
  const schema = buildSluiceSchema();

  it.each([LAUNCH, STATE, WATCH, REPORT, ...STEERING, ...DEAD_LETTERS, ...QUARANTINE, ...ESCALATIONS])(
    'fits the schema: $text',
    ({ text }) => {
      expect(validate(schema, parse(text))).toEqual([]);
    },
  );

  it.each(['launch-orders', 'watch-orders'])('fits the schema: docs/examples/%s.graphql', async (name) => {
    const text = await readFile(`docs/examples/${name}.graphql`, 'utf8');
    expect(validate(schema, parse(text))).toEqual([]);
  });
});
