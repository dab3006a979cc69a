import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';
import { runCli, startCli } from './run-cli.js';

// Every test starts processes of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let database: TestDatabase;
let gateway: GatewayProcess;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  await chmod(folder, 0o755);
  gateway = await startGatewayProcess({
    entry: [inject('sluiceMain')],
    env: {
      DATABASE_URL: database.url,
      SLUICE_HOME: join(folder, 'home'),
      SLUICE_DATA_DIRS: resolve('docs/examples'),
      SLUICE_LOG_LEVEL: 'warn',
    },
  });
  env = { SLUICE_URL: gateway.url, SLUICE_ADMIN_TOKEN: gateway.token };
}, 60_000);

afterAll(async () => {
  await gateway?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function specFile(name: string, spec: object): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(spec));
  return path;
}

const inline = (table: string, more: object = {}) => ({
  name: table,
  source: {
    records: {
      rows: [
        { id: 1, quantity: 5 },
        { id: 2, quantity: 500 },
      ],
    },
  },
  sink: { postgres: { table, mode: 'APPEND', createTable: true } },
  ...more,
});

/** A job that waits for its table while it loads, because somebody else holds it. @returns its spec, and who lets go */
async function heldUp(table: string, more: object = {}) {
  await database.pool.query(`create table public.${table} (id int, quantity int, load uuid)`);
  const holder = await database.pool.connect();
  await holder.query(`begin; lock table public.${table} in share mode`);
  const sink = { postgres: { table, mode: 'APPEND', ...more } };
  const steps = ['id', 'quantity'].map((name) => ({ cast: { columns: [{ name, type: 'INTEGER' }] } }));
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await holder.query('rollback');
    holder.release();
  };
  onTestFinished(release);
  return { path: await specFile(`${table}.json`, inline(table, { steps, sink })), release };
}

const stateOf = async (id: string) =>
  (await database.pool.query<{ state: string }>('select state from sluice.job where id = $1', [id])).rows[0]?.state;

const jobIn = (out: string) => /\(([0-9a-f-]{36})\)/.exec(out)?.[1] ?? '';

const lines = (out: string): { type: string; [key: string]: unknown }[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('sluice run', () => {
  it('runs a job to its end and shows counts, expectations and quarantined rows', async () => {
    const run = await runCli(['run', 'docs/examples/orders.yaml'], env);
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out).toMatch(/Job orders \(\S+\) launched\./);
    expect(run.out).toMatch(/Job orders \(\S+\) succeeded in /);
    expect(run.out).toMatch(/read 12, loaded 9, quarantined 3/);
    expect(run.out).toMatch(/quantity.* QUARANTINE .* QUARANTINED/);
    expect(run.out).toMatch(/Quarantined rows \(3 of 3\):/);
    expect(run.out).toMatch(/row 6 of file:orders.csv/);
    expect(run.out).not.toContain('\u001b');
    const { rows } = await database.pool.query(
      'select customer_email, total from public.orders order by id::int limit 1',
    );
    expect(rows).toEqual([{ customer_email: 'ada.lovelace@example.org', total: '39.80' }]);
  });

  it('answers machines one JSON object a line', async () => {
    const run = await runCli(['run', '--json', await specFile('json.json', inline('cli_json'))], env);
    expect(run).toMatchObject({ code: 0, err: '' });
    const told = lines(run.out);
    expect(told[0]).toMatchObject({ type: 'launched', replayed: false, job: { name: 'cli_json' } });
    expect(told.at(-1)).toMatchObject({ type: 'result', job: { state: 'SUCCEEDED', progress: { rowsLoaded: 2 } } });
    const events = told.slice(1, -1);
    expect(events.length).toBeGreaterThan(1);
    expect(events.every((line) => line.type === 'event')).toBe(true);
    expect(events.at(-1)).toMatchObject({ event: { kind: 'STATE', state: 'SUCCEEDED' } });
  });

  const tooLarge = { expectations: [{ range: { column: 'quantity', max: 100 }, severity: 'FAIL' }] };

  it('ends with 1 when the job fails, and says why', async () => {
    const spec = inline('cli_fail', { ...tooLarge, options: { onFailure: 'FAIL' } });
    const run = await runCli(['run', await specFile('fail.json', spec)], env);
    expect(run.code).toBe(1);
    expect(run.out).toMatch(/Job cli_fail \(\S+\) failed/);
    expect(run.out).toMatch(/\(EXPECTATION_FAILED\) \[PIPELINE_DECISION\]/);
  });

  it('ends with 4 when a decision about the job is awaited, and says how to go on', async () => {
    const run = await runCli(['run', await specFile('held.json', inline('cli_held', tooLarge))], env);
    expect(run.code).toBe(4);
    expect(run.out).toMatch(/Job cli_held \(\S+\) awaiting decision/);
    expect(run.out).toMatch(/\(EXPECTATION_FAILED\) \[PIPELINE_DECISION\]/);
    const [, jobId] = /sluice watch (\S+) --after-seq \d+ --wait/.exec(run.out) ?? [];
    const again = await runCli(['watch', '--json', jobId ?? ''], env);
    expect(again.code).toBe(4);
    expect(lines(again.out).at(-1)).toMatchObject({ type: 'awaiting', jobId });
  });

  it('stays with --wait, and passes a hold that is over by now', async () => {
    const path = await specFile('waited.json', inline('cli_waited', tooLarge));
    const waiting = startCli(['run', '--wait', '--cancel-on-interrupt', path], env);
    await eventually(() => waiting.out().includes('awaiting decision'), 30_000);
    waiting.signal('SIGINT');
    const ended = await waiting.ended;
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(/Job cli_waited \(\S+\) cancelled/);
    const again = await runCli(['watch', jobIn(ended.out), '--after-seq', '0'], env);
    expect(again.code).toBe(1);
    expect(again.out).not.toContain('is awaited');
  });

  it('ends with 1 for mistakes in the spec, each with its path', async () => {
    const steps = [{ drop: { columns: ['nothing'] } }, { cast: { columns: [{ name: 'quantity', type: 'INTEGER' }] } }];
    const run = await runCli(['run', await specFile('bad.json', inline('cli_bad', { steps }))], env);
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/^steps\[0\]\.drop\.columns\S*: .*nothing.*\(UNKNOWN_COLUMN\)/m);
  });

  it('ends with 1 for a member that the schema does not have', async () => {
    const spec = inline('cli_unknown', { sinks: [] });
    const run = await runCli(['run', '--json', await specFile('unknown.json', spec)], env);
    expect(run.code).toBe(1);
    expect(run.err).toContain('sinks');
    expect(lines(run.out)[0]).toMatchObject({ type: 'error' });
  });

  it('keeps 64-bit numbers of a spec exact', async () => {
    const path = join(folder, 'big.yaml');
    await writeFile(
      path,
      'name: big\nsource: { records: { rows: [{ id: 9007199254740993 }] } }\nsink: { postgres: { table: cli_big, createTable: true } }\n',
    );
    expect(await runCli(['run', path], env)).toMatchObject({ code: 0 });
    const { rows } = await database.pool.query('select id::text from public.cli_big');
    expect(rows).toEqual([{ id: '9007199254740993' }]);
  });

  it('launches once under an idempotency key, and can leave at once', async () => {
    const spec = await specFile('once.json', inline('cli_once'));
    const first = await runCli(['run', '--detach', '--idempotency-key', 'cli-once', spec], env);
    const second = await runCli(['run', '--idempotency-key', 'cli-once', spec], env);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.out).toMatch(/was launched before/);
    expect(jobIn(second.out)).toBe(jobIn(first.out));
    // It has finished by now.
    const third = await runCli(['run', '--idempotency-key', 'cli-once', spec], env);
    expect(third).toMatchObject({ code: 0 });
    expect(third.out).toContain(
      `Job cli_once (${jobIn(first.out)}) was launched before with this idempotency key and has finished with 2 rows: nothing is loaded again.`,
    );
    const { rows } = await database.pool.query('select count(*)::int as n from public.cli_once');
    expect(rows).toEqual([{ n: 2 }]);
  });

  it('cancels a job with its rows', async () => {
    const { path, release } = await heldUp('cli_rollback', { loadIdColumn: 'load' });
    const id = jobIn((await runCli(['run', '--detach', path], env)).out);
    await eventually(async () => {
      const { rows } = await database.pool.query<{ stage: string }>('select stage from sluice.job where id = $1', [id]);
      return rows[0]?.stage === 'LOADING';
    });
    expect(await runCli(['jobs', 'cancel', id, '--rollback'], env)).toMatchObject({ code: 0 });
    await release();
    await eventually(async () => (await stateOf(id)) === 'CANCELLED', 20_000);
    const { rows } = await database.pool.query('select count(*)::int as n from public.cli_rollback');
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('uploads a file as the source', async () => {
    const spec = await specFile('upload.json', { ...inline('cli_upload'), source: { csv: { header: true } } });
    const run = await runCli(['run', '--upload', 'docs/examples/orders.csv', spec], env);
    expect(run).toMatchObject({ code: 0, err: '' });
    const { rows } = await database.pool.query('select count(*)::int as n from public.cli_upload');
    expect(rows).toEqual([{ n: 12 }]);
  });
});

describe('sluice watch', () => {
  it('tells the result of a job that has ended', async () => {
    const launched = await runCli(['run', '--json', await specFile('w.json', inline('cli_watch'))], env);
    const { job } = lines(launched.out)[0] as unknown as { job: { id: string } };
    const run = await runCli(['watch', job.id, '--json', '--after-seq', '1'], env);
    expect(run.code).toBe(0);
    const told = lines(run.out).flatMap((line) =>
      line.type === 'event' ? [line.event as { kind: string; seq: number }] : [],
    );
    expect(told.filter((event) => event.kind !== 'SNAPSHOT').map((event) => event.seq)[0]).toBe(2);
  });

  it('ends with 1 for a job that is not there', async () => {
    const run = await runCli(['watch', '0192aaaa-0000-7000-8000-000000000001'], env);
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/\(JOB_NOT_FOUND\)/);
  });
});

describe('Ctrl-C', () => {
  it('leaves the job running and says how to go on', async () => {
    const { path, release } = await heldUp('cli_left');
    const running = startCli(['run', path], env);
    await eventually(() => running.out().includes('loading'), 30_000);
    running.signal('SIGINT');
    const left = await running.ended;
    expect(left.code).toBe(130);
    const id = jobIn(left.out);
    const [, command] = /Watch it again with: sluice (.*)$/m.exec(left.out) ?? [];
    expect(command).toMatch(new RegExp(`^watch ${id} --after-seq \\d+$`));
    expect(await stateOf(id)).toBe('RUNNING');
    await release();
    expect(await runCli((command ?? '').split(' '), env)).toMatchObject({ code: 0 });
    expect(await stateOf(id)).toBe('SUCCEEDED');
  });

  it('cancels the job with --cancel-on-interrupt', async () => {
    const { path, release } = await heldUp('cli_cancelled');
    const running = startCli(['run', '--cancel-on-interrupt', path], env);
    await eventually(() => running.out().includes('loading'), 30_000);
    running.signal('SIGINT');
    const cancelled = await running.ended;
    await release();
    expect(cancelled.code).toBe(1);
    expect(cancelled.out).toMatch(/Job cli_cancelled \(\S+\) cancelled/);
    expect(await stateOf(jobIn(cancelled.out))).toBe('CANCELLED');
  });
});

describe('without a gateway', () => {
  it('ends with 3 and says what to do', async () => {
    const run = await runCli(['run', 'docs/examples/orders.yaml', '--url', 'http://127.0.0.1:1'], env);
    expect(run).toMatchObject({ code: 3, out: '' });
    expect(run.err).toMatch(/No gateway answers at http:\/\/127.0.0.1:1: start one with `sluice serve`/);
  });

  it('ends with 3 for a token that is not taken, and for none', async () => {
    const wrong = await runCli(['run', 'docs/examples/orders.yaml', '--token', 'a-token-of-nobody'], env);
    expect(wrong.code).toBe(3);
    expect(wrong.err).toMatch(/valid token: give it with --token/);
    const none = await runCli(['watch', '0192aaaa-0000-7000-8000-000000000001'], {
      SLUICE_URL: gateway.url,
      SLUICE_HOME: join(folder, 'nowhere'),
    });
    expect(none.code).toBe(3);
  });

  it('ends with 2 for what it cannot read', async () => {
    await writeFile(join(folder, 'broken.yaml'), 'name: [1, 2');
    const runs = await Promise.all(
      [['run'], ['run', '--nonsense', 'x'], ['run', 'nowhere.yaml'], ['run', join(folder, 'broken.yaml')]].map((args) =>
        runCli(args, env),
      ),
    );
    expect(runs.map((run) => run.code)).toEqual([2, 2, 2, 2]);
    expect(runs[3]?.err).toMatch(/broken.yaml is not readable at line 1, column 12/);
  });
});
