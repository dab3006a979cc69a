import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseSpec } from '../../src/cli/spec-file.js';
import { type EscalatedJobs, escalatedJobs } from '../support/escalated-jobs.js';

let jobs: EscalatedJobs;
beforeAll(async () => {
  jobs = await escalatedJobs();
});
afterEach(() => jobs.desk.rest());

const records = (...rows: object[]) => ({ records: { rows } });
const ONE = records({ id: 1, email: 'ann@example.org' });
const tooFew = { rowCount: { min: 2 }, severity: 'FAIL' };

describe('options.escalation.classes', () => {
  it('decides what class a failure of the job is, and so who is asked', async () => {
    const classes = [
      { code: 'EXPECTATION_FAILED', failureClass: 'WORKFLOW_INTEGRATION' },
      { code: 'RETRIES_EXHAUSTED', failureClass: 'PIPELINE_DECISION' },
    ];
    const job = await jobs.escalated({ source: ONE, expectations: [tooFew], options: { escalation: { classes } } });
    expect(job).toMatchObject({ state: 'AWAITING_DECISION', error: { code: 'EXPECTATION_FAILED' } });
    expect(job.escalations).toMatchObject([
      {
        ...{ failureClass: 'WORKFLOW_INTEGRATION', rule: 'pipeline-override', asked: [{ id: 'layer-20' }] },
        log: [{ kind: 'OPEN', data: { rule: 'pipeline-override', confidence: 1 } }],
        evidence: { classification: { rule: 'pipeline-override' } },
      },
    ]);
  });

  it('is read from a spec in YAML, as `sluice run` sends it', async () => {
    const spec = parseSpec(
      `source: { records: { rows: [{ id: 1, email: ann@example.org }] } }
options:
  escalation:
    classes:
      - { code: EXPECTATION_FAILED, failureClass: CRITICAL_FAILURE }
    sensitiveColumns: [email]`,
      'orders.yaml',
    );
    expect(await jobs.launch(spec)).toMatchObject({ userErrors: [] });
    const [escalation] = await jobs.desk.column(
      `select spec -> 'options' -> 'escalation' from sluice.job order by created_at desc limit 1`,
    );
    expect(escalation).toEqual({
      classes: [{ code: 'EXPECTATION_FAILED', failureClass: 'CRITICAL_FAILURE' }],
      sensitiveColumns: ['email'],
    });
  });

  it('says nothing of other codes, nor of other jobs of the name', async () => {
    const classes = [{ code: 'JOB_TIMEOUT', failureClass: 'CRITICAL_FAILURE' }];
    const job = await jobs.escalated({ source: ONE, expectations: [tooFew], options: { escalation: { classes } } });
    expect(job.escalations).toMatchObject([{ failureClass: 'PIPELINE_DECISION', rule: 'expectation-failed' }]);
  });

  it.each([
    [[{ code: 'FILE_NOT_FOUND', failureClass: 'CRITICAL_FAILURE' }], ['0', 'code'], /FILE_NOT_FOUND ends/],
    [[{ code: 'UNAVAILABLE', failureClass: 'CRITICAL_FAILURE' }], ['0', 'code'], /RETRIES_EXHAUSTED/],
    [[{ code: 'INTERNAL', failureClass: 'TRANSIENT' }], ['0', 'failureClass'], /Nobody is asked/],
    [[{ code: 'INTERNAL', failureClass: 'INVALID_REQUEST' }], ['0', 'failureClass'], /onFailure: FAIL/],
    [
      [
        { code: 'INTERNAL', failureClass: 'DATA_CORRUPTION' },
        { code: 'INTERNAL', failureClass: 'CRITICAL_FAILURE' },
      ],
      ['1', 'code'],
      /INTERNAL stands there twice/,
    ],
  ])('refuses %j', async (classes, path, message) => {
    const refused = await jobs.launch({ source: ONE, options: { escalation: { classes } } });
    expect(refused).toEqual({
      job: null,
      userErrors: [
        {
          ...{ code: 'INVALID_INPUT', path: ['options', 'escalation', 'classes', ...path] },
          message: expect.stringMatching(message),
        },
      ],
    });
  });

  it('refuses a code that is none, in a query and in a spec', async () => {
    const classes = [{ code: 'NO_SUCH_CODE', failureClass: 'CRITICAL_FAILURE' }];
    const { errors } = await jobs.gateway.ask(
      'mutation ($input: LaunchEtlJobInput!) { launchEtlJob(input: $input) { replayed } }',
      { input: { name: 'x', source: ONE, sink: { postgres: { table: 'x' } }, options: { escalation: { classes } } } },
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0]?.message).toContain('options.escalation.classes[0].code');
    expect(() => jobs.home.pipelineOf({ source: ONE, options: { escalation: { classes } } })).toThrow(
      'There is no such error code.',
    );
  });

  it('leaves a spec that does not name it as it was, so that its launch stays the same launch', () => {
    expect(jobs.home.pipelineOf({ source: ONE }).json.options).not.toHaveProperty('escalation');
    const named = jobs.home.pipelineOf({ source: ONE, options: { escalation: {} } });
    expect(named.json.options.escalation).toMatchObject({ classes: [] });
  });
});
