import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EscalationService } from '../../escalation/service.js';
import { SluiceError } from '../../src/core/errors.js';
import { TOKEN, testGateway } from '../support/gateway.js';
import { aLogEntry, anEscalation, stubEscalations } from '../support/stub-escalations.js';
import { runCli } from './run-cli.js';

// Every test starts processes of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let methods: Partial<EscalationService> = {};
const calls: unknown[][] = [];
const fallback = stubEscalations();
const service = new Proxy(fallback, {
  get: (_target, name: keyof EscalationService) => {
    return (...args: readonly unknown[]) => {
      calls.push([name, ...args]);
      return Reflect.apply(methods[name] ?? fallback[name], undefined, args);
    };
  },
});
const gateway = await testGateway({ escalations: service });
const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const env = { SLUICE_URL: gateway.url, SLUICE_ADMIN_TOKEN: TOKEN };
const cli = (...args: readonly string[]) => runCli(args, env);
const ID = anEscalation().id;
const called = (name: string) => calls.filter(([method]) => method === name).map(([, ...args]) => args);

beforeEach(() => {
  methods = {};
  calls.length = 0;
});

describe('sluice escalations', () => {
  it('lists those that match as a table', async () => {
    const item = { cursor: 'c', node: anEscalation() };
    methods = { list: async () => ({ items: [item], hasNextPage: true, totalCount: 7 }) };
    const run = await cli('escalations', 'list', '--status', 'ASKING', 'HELD', '--agent', 'chief-2', '--first', '1');
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out).toMatch(new RegExp(`${ID} +PIPELINE_DECISION +ASKING +chief-2 +2026-11-23 10:30 UTC +orders`));
    expect(run.out).toContain('1 of 7');
    const filter = { statuses: ['ASKING', 'HELD'], agent: 'chief-2' };
    expect(called('list')).toEqual([['default', filter, { first: 1, after: null }]]);
  });

  it('shows one with its evidence and log, to people and to machines', async () => {
    methods = {
      evidence: async () => ({ hash: 'abc', bundle: { stage: 'LOADING' } }),
      log: async () => [aLogEntry()],
    };
    const [shown, json] = [await cli('escalations', 'show', ID), await cli('escalations', 'show', ID, '--json')];
    expect(shown.out).toMatch(/verdicts +RETRY, PATCH_SPEC, ABORT/);
    expect(shown.out).toContain('"stage": "LOADING"');
    expect(JSON.parse(json.out)).toMatchObject({
      type: 'escalation',
      escalation: { id: ID, evidence: { stage: 'LOADING' } },
    });
  });

  it('says that there is none', async () => {
    methods = { get: async () => null };
    expect(await cli('escalations', 'show', ID)).toMatchObject({
      code: 1,
      err: expect.stringContaining('ESCALATION_NOT_FOUND'),
    });
  });

  it('acknowledges the current version, or the one that was seen', async () => {
    methods = { get: async () => anEscalation({ version: 4 }) };
    const run = await cli('escalations', 'ack', ID, '--agent', 'chief-2');
    expect(run).toMatchObject({ code: 0, err: '', out: expect.stringContaining('version 2') });
    await cli('escalations', 'ack', ID, '--agent', 'chief-2', '--expected-version', '3');
    const caller = { tenant: 'default', agent: 'chief-2' };
    expect(called('acknowledge')).toEqual([
      [caller, { id: ID, expectedVersion: 4 }],
      [caller, { id: ID, expectedVersion: 3 }],
    ]);
  });

  it('submits a verdict with a patch from a file', async () => {
    const file = join(folder, 'patch.yaml');
    await writeFile(file, 'sink:\n  postgres:\n    createTable: true\n');
    const args = ['--agent', 'chief-2', '--patch', file, '--comment', 'drift'];
    expect(await cli('escalations', 'verdict', ID, 'PATCH_SPEC', ...args)).toMatchObject({ code: 0, err: '' });
    const verdict = { kind: 'PATCH_SPEC', patch: { sink: { postgres: { createTable: true } } }, comment: 'drift' };
    const caller = { tenant: 'default', agent: 'chief-2' };
    expect(called('submitVerdict')).toEqual([[caller, { id: ID, expectedVersion: 1 }, verdict]]);
  });

  it('tells a conflict with what is there now, and a refusal', async () => {
    methods = {
      acknowledge: async () => ({
        kind: 'CONFLICT',
        current: anEscalation({ version: 9 }, { status: 'CLAIMED', holder: 'agent-0' }),
      }),
      submitVerdict: async () => {
        throw new SluiceError('VERDICT_NOT_ALLOWED', 'Choose ABORT.');
      },
    };
    const conflict = await cli('escalations', 'ack', ID, '--agent', 'chief-2', '--json');
    expect(conflict).toMatchObject({ code: 1, err: expect.stringContaining('claimed (version 9), with agent-0') });
    expect(JSON.parse(conflict.out)).toMatchObject({ type: 'error', errors: [{ code: 'CONFLICT' }] });
    const refused = await cli('escalations', 'verdict', ID, 'RETRY', '--agent', 'chief-2');
    expect(refused).toMatchObject({ code: 1, out: '', err: 'Choose ABORT. (VERDICT_NOT_ALLOWED)\n' });
  });

  it.each([
    [['escalations', 'ack', ID], /--agent/],
    [['escalations', 'verdict', ID, 'RETRY', '--agent', 'chief-2', '--patch', '/nowhere.yaml'], /patch .*no such file/],
    [['simulate'], /Name a policy/],
    [['simulate', 'unknown'], /there are pipeline-decision/],
    [['simulate', 'pipeline-decision', '--class', 'DATA_CORRUPTION'], /is for PIPELINE_DECISION/],
    [['simulate', '--class', 'TRANSIENT'], /Nobody is asked about TRANSIENT/],
    [['simulate', '--class', 'DRIFT'], /'DRIFT' is invalid\. It must be one of .*PIPELINE_DECISION/],
    [['escalations', 'verdict', ID, 'FIX', '--agent', 'chief-2'], /It must be one of RETRY, /],
  ])('%j is a usage mistake', async (args, message) => {
    expect(await cli(...args)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});

describe('sluice simulate', () => {
  const event = { kind: 'DUE', status: 'ASKING', step: 1, round: 0, agents: ['agent-0'] } as const;

  it.each([
    ['by name', ['pipeline-decision', '--class', 'PIPELINE_DECISION']],
    ['by class', ['--class', 'PIPELINE_DECISION']],
  ])('draws the ladder of a stored policy %s', async (_how, args) => {
    methods = {
      simulate: async () => ({
        events: [
          { ...event, atMs: 0, description: 'Asks chief-2.' },
          { ...event, atMs: 3_600_000, description: 'Asks agent-0.' },
        ],
        ceoAfterMs: 3_600_000,
        endAfterMs: 10_800_000,
      }),
    };
    const run = await cli('simulate', ...args, '--owner', 'layer-20');
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out).toMatch(/at once {2}● {2}Asks chief-2\.\n( +│( {2}1 h)?\n){6} +1 h {2}● {2}Asks agent-0\./);
    expect(run.out).toContain('Worst case to the CEO: 1 h.');
    const input = { owner: 'layer-20', behaviour: [], policy: { id: 'pipeline-decision' } };
    expect(called('simulate')).toEqual([['default', input]]);
  });

  it('takes a policy from a file', async () => {
    const file = join(folder, 'policy.json');
    await writeFile(
      file,
      JSON.stringify({
        id: 'mine',
        failureClass: 'PIPELINE_DECISION',
        steps: [{ ask: [{ role: 'CEO' }], wait: 'PT5M' }],
      }),
    );
    const run = await cli('simulate', file, '--class', 'DATA_CORRUPTION', '--json');
    expect(JSON.parse(run.out)).toMatchObject({ type: 'simulation', events: [], ceoAfter: null, endAfter: 'PT0S' });
    const draft = { id: 'mine', failureClass: 'DATA_CORRUPTION', steps: [{ waitMs: 300_000 }] };
    expect(called('simulate')).toMatchObject([['default', { owner: 'layer-12', policy: { draft } }]]);
  });
});

describe('sluice audit verify', () => {
  it.each([
    [null, 0, 'The escalation log is whole: 12 rows.\n'],
    [{ seq: 5, problem: 'it was changed' }, 1, 'The escalation log is broken at row 5 of 12: it was changed\n'],
  ])('with %o ends with %d', async (broken, code, out) => {
    methods = { verifyLog: async () => broken, lastLogSeq: async () => 12 };
    expect(await cli('audit', 'verify')).toEqual({ code, out, err: '' });
  });
});
