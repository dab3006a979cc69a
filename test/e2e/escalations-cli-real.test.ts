import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Escalation } from '../../escalation/escalation.js';
import { newId } from '../../src/core/ids.js';
import { anEscalationDesk, as, type EscalationDesk, seen } from '../support/escalation-desk.js';
import { type TestGateway, TOKEN, testGateway } from '../support/gateway.js';
import { type CliRun, runCli } from './run-cli.js';

// Every run is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let desk: EscalationDesk;
let gateway: TestGateway;
let escalation: Escalation;
const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-real-'));
beforeAll(async () => {
  desk = await anEscalationDesk();
  gateway = await testGateway({ escalations: desk.service });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cli = (...args: readonly string[]): Promise<CliRun> =>
  runCli(args, { SLUICE_URL: gateway.url, SLUICE_ADMIN_TOKEN: TOKEN });
const refused = (code: number, err: string): CliRun => ({ code, out: '', err: `${err}\n` });

beforeEach(async () => {
  const owner = 'layer-12';
  const opening = { owner, failureClass: 'DATA_CORRUPTION', target: null, message: 'Look.', jobId: null } as const;
  escalation = await desk.service.open(as(owner), { ...opening, pipeline: `cli-${newId()}` });
});

describe('sluice escalations', () => {
  it('of an id that is none say so', async () => {
    const none = 'There is no escalation with that id. (ESCALATION_NOT_FOUND)';
    const agent = ['--agent', 'chief-2'];
    const [shown, acknowledged, decided, blind] = await Promise.all([
      cli('escalations', 'show', 'no-id'),
      cli('escalations', 'ack', newId(), ...agent),
      cli('escalations', 'verdict', 'no-id', 'RETRY', ...agent),
      cli('escalations', 'ack', newId(), ...agent, '--expected-version', '1'),
    ]);
    expect([shown, acknowledged, decided]).toEqual(Array(3).fill(refused(1, none)));
    expect(blind).toEqual(refused(1, `id: ${none}`));
  });

  it('refuses an agent that nobody knows, and a verdict that the step does not allow', async () => {
    const nobody = 'agent: There is no agent "chief-99" in the org chart. (UNKNOWN_AGENT)';
    const choice = 'SKIP_ROWS cannot be chosen here: choose one of RETRY, PATCH_SPEC, PAUSE_TARGET, ABORT.';
    const [acknowledged, listed, decided] = await Promise.all([
      cli('escalations', 'ack', escalation.id, '--agent', 'chief-99'),
      cli('escalations', 'list', '--agent', 'chief-99'),
      cli('escalations', 'verdict', escalation.id, 'skip_rows', '--agent', 'agent-0'),
    ]);
    expect(acknowledged).toEqual(refused(1, nobody));
    expect(listed).toEqual(refused(1, `filter.${nobody}`));
    expect(decided).toEqual(refused(1, `kind: ${choice} (VERDICT_NOT_ALLOWED)`));
    expect(await desk.get(escalation.id)).toEqual(escalation);
  });

  it('tells who was first, and that it is over', async () => {
    await desk.service.claim(as('agent-0'), seen(escalation), null);
    const stale = await cli('escalations', 'ack', escalation.id, '--agent', 'chief-2', '--expected-version', '1');
    expect(stale.code).toBe(1);
    expect(stale.out).toMatch(/is claimed \(version 2\), with agent-0, due /);
    expect(stale.err).toBe(
      'expectedVersion: The escalation is at version 2, not 1; `conflict` holds what it is now. (CONFLICT)\n',
    );
    await desk.service.resolve(as('agent-0'), { id: escalation.id, expectedVersion: 2 }, null);
    const late = await cli('escalations', 'verdict', escalation.id, 'RETRY', '--agent', 'chief-2');
    expect(late).toEqual(refused(1, 'The escalation is resolved; reopen it first. (ESCALATION_CLOSED)'));
  });
});

describe('sluice simulate', () => {
  it('draws the ladder of a class until the CEO', async () => {
    const run = await cli('simulate', '--class', 'WORKFLOW_INTEGRATION');
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out.split('\n').filter((line) => line.includes('●'))).toEqual([
      'at once  ●  The failure. Asks layer-20.',
      ' 30 min  ●  The wait is over. Asks domain-3.',
      '    1 h  ●  The wait is over. Asks chief-2.',
      '    2 h  ●  The wait is over. Asks agent-0.',
      '    4 h  ●  The wait is over. Nobody is left; the job stays held.',
    ]);
    expect(run.out).toContain('agent-0   ESA Orchestrator');
    expect(run.out).toContain('Worst case to the CEO: 2 h.');
  });

  it('names every mistake of a policy in a file, where it stands', async () => {
    const file = join(folder, 'wrong.yaml');
    const step = '{ ask: [{ agent: chief-99 }], wait: PT0S }';
    await writeFile(file, `id: mine\nfailureClass: PIPELINE_DECISION\nsteps: [${step}]\n`);
    expect(await cli('simulate', file)).toEqual(
      refused(
        1,
        [
          'draft.steps[0].wait: From 1 second to 30 days. (POLICY_INVALID)',
          'draft.steps[0].ask[0].agent: There is no agent "chief-99" in the org chart. (UNKNOWN_AGENT)',
        ].join('\n'),
      ),
    );
    await writeFile(file, 'id: mine\nsteps: [');
    expect(await cli('simulate', file)).toMatchObject({ code: 2, out: '', err: expect.stringContaining('at line 2') });
    expect(await cli('simulate', '--class', 'DATA_CORRUPTION', '--owner', 'nobody')).toEqual(
      refused(1, 'owner: The owner nobody is not in the org chart. (UNKNOWN_OWNER)'),
    );
  });
});

it('without a gateway every command says how to start one', async () => {
  const runs = await Promise.all(
    [
      ['escalations', 'list'],
      ['escalations', 'verdict', 'x', 'RETRY', '--agent', 'chief-2'],
      ['simulate', '--class', 'DATA_CORRUPTION'],
      ['audit', 'verify'],
    ].map((args) => runCli(args, { SLUICE_URL: 'http://127.0.0.1:1' })),
  );
  const advice = 'start one with `sluice serve`, or name its address with --url or SLUICE_URL.';
  expect(runs).toEqual(Array(4).fill(refused(3, `No gateway answers at http://127.0.0.1:1: ${advice} (UNREACHABLE)`)));
});

describe('sluice audit verify', () => {
  /** Changes the log as somebody does who owns the database. */
  const tamper = (sql: string) =>
    desk.pool.query(`alter table sluice.escalation_log disable trigger user; ${sql};
      alter table sluice.escalation_log enable trigger user`);
  const swap = `update sluice.escalation_log set seq = 0 where seq = 2;
    update sluice.escalation_log set seq = 2 where seq = 3; update sluice.escalation_log set seq = 3 where seq = 0`;
  const SAVED = 'create table saved as table sluice.escalation_log';
  const BACK = `delete from sluice.escalation_log; insert into sluice.escalation_log table saved; drop table saved`;

  it.each([
    [
      'changed',
      `update sluice.escalation_log set actor = 'agent-0' where seq = 3`,
      3,
      'was changed after it was written.',
    ],
    ['missing', 'delete from sluice.escalation_log where seq = 2', 2, 'is missing.'],
    ['reordered', swap, 2, 'does not follow the one before it.'],
  ])('names a row that is %s', async (_what, sql, seq, problem) => {
    for (const text of ['One.', 'Two.', 'Three.']) await desk.service.comment(as('chief-2'), escalation.id, text);
    const last = await desk.service.lastLogSeq('default');
    await tamper(`${SAVED}; ${sql}`);
    expect(await cli('audit', 'verify')).toEqual({
      code: 1,
      out: `The escalation log is broken at row ${seq} of ${last}: The row ${problem}\n`,
      err: '',
    });
    await tamper(BACK);
    expect(await desk.service.verifyLog('default')).toBeNull();
  });
});
