import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REDACTED } from '../../escalation/secrets.js';
import { readJobEvidence } from '../../src/store/job-evidence.js';
import { type Escalated, type EscalatedJobs, escalatedJobs } from '../support/escalated-jobs.js';

let jobs: EscalatedJobs;
beforeAll(async () => {
  jobs = await escalatedJobs();
});
afterEach(() => jobs.desk.rest());

/** The one escalation of a job. */
function only({ escalations }: Escalated): Escalated['escalations'][number] {
  const [one, ...others] = escalations;
  if (!one || others.length > 0) throw new Error(`${escalations.length} escalations`);
  return one;
}

let tables = 0;

/** Loads what nobody may see: two rows whose email the target takes once, and one whose email is too long. */
async function hidesEmails(source: object): Promise<Escalated> {
  // A table of its own: loads into one whose data may be wrong wait.
  tables += 1;
  const table = `emails_${tables}`;
  await jobs.desk.pool.query(`create table ${table} (id text, email text unique)`);
  const job = await jobs.escalated({
    source,
    steps: [
      { filter: { expression: `email <> 'hidden-filter'` } },
      { default: { columns: [{ name: 'email', value: 'hidden-default' }] } },
    ],
    expectations: [
      { length: { column: 'email', max: 10 }, severity: 'QUARANTINE' },
      { inSet: { column: 'email', values: ['hidden-1', 'hidden-2'] }, severity: 'WARN' },
    ],
    sink: { postgres: { table, mode: 'REPLACE' } },
    options: { escalation: { sensitiveColumns: ['EMAIL'] } },
  });
  expect(job).toMatchObject({ state: 'AWAITING_DECISION', error: { code: 'CONSTRAINT_VIOLATION' } });
  // Whoever runs the job sees what the database says.
  expect(job.error.details).toMatchObject({ detail: expect.stringContaining('hidden-1') });
  expect(JSON.stringify(job.escalations)).not.toContain('hidden');
  return job;
}

const ROWS = [
  { id: 'a', email: 'hidden-1' },
  { id: 'b', email: 'hidden-1' },
  { id: 'c', email: 'hidden-too-long' },
];
const asRead = (id: string) => `{"id":"${id}","email":"${REDACTED}"}`;

describe('the SQL that the engine compiled', () => {
  const rows = { records: { rows: [{ id: 1, name: 'seven' }] } };
  const failing = [{ inSet: { column: 'name', values: ['eight'] }, severity: 'FAIL' }];

  it('is there without a literal, and only for those who decide', async () => {
    const steps = [{ derive: { column: 'twice', expression: 'id * 2' } }];
    const job = await jobs.escalated({ source: rows, steps, expectations: failing });
    const { sql } = only(job).evidence.job;
    expect(sql).toContain("(id * '?')");
    expect(sql).toContain(`CAST("name" AS VARCHAR) != '?'`);
    expect(sql).not.toMatch(/eight|seven|records\.ndjson|sluice-/);
    expect(job.error.details).not.toHaveProperty('sql');
  });

  it('is there when the worker was killed while it ran', async () => {
    const { engine } = jobs.home;
    let isRunning = () => {};
    const running = new Promise<void>((resolve) => (isRunning = resolve));
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const { job } = await jobs.launch({ source: rows });
    const id = job?.id ?? '';
    const { queue } = await jobs.desk.worker({
      ...engine,
      evaluate: (request) =>
        engine.evaluate({
          ...request,
          async onCompiled(sql) {
            await request.onCompiled?.(sql);
            isRunning();
            await ended;
          },
        }),
    });
    const hinted = queue.hint(id);
    await running;
    await jobs.desk.pool.query(
      `update sluice.job set takeovers = 5, lease_until = statement_timestamp() - interval '1 s' where id = $1`,
      [id],
    );
    await jobs.desk.stores.sweep.takeOver(5, 60_000, 10);
    const kept = await readJobEvidence(jobs.desk.pool, 'default', id);
    expect(kept).toMatchObject({ state: 'DEAD', sql: expect.stringContaining('SELECT id, "name" FROM') });
    end();
    await hinted;
  });

  it('is left out when it is longer than anybody would read', async () => {
    const values = Array.from({ length: 10_000 }, (_, i) => `one of many values, number ${i}`);
    const job = await jobs.escalated({
      source: rows,
      expectations: [{ inSet: { column: 'name', values }, severity: 'FAIL' }],
    });
    expect(job.error.code).toBe('EXPECTATION_FAILED');
    expect(only(job).evidence.job.sql).toBeNull();
  });

  it('is not there when the job failed before, nor is that of an evaluation that was thrown away', async () => {
    const broken = {
      create: () => Promise.reject(new Error('no folder')),
      remove: async () => undefined,
      jobIds: async () => [],
      bytes: async () => 0,
      attempts: async () => [],
    };
    const job = await jobs.escalated({ source: rows }, { staging: broken });
    expect(job).toMatchObject({ error: { code: 'INTERNAL' }, escalations: [{ evidence: { job: { sql: null } } }] });

    const kept = () => jobs.desk.column('select compiled_sql is not null from sluice.job where name = $1', [name]);
    const name = 'begins-anew';
    const held = only(await jobs.escalated({ name, source: rows, expectations: failing }));
    expect(await kept()).toEqual([true]);
    const { data } = await jobs.gateway.ask(
      `mutation ($input: SubmitVerdictInput!) { submitVerdict(input: $input) { userErrors { code } } }`,
      { input: { id: held.id, expectedVersion: 1, agent: 'chief-2', kind: 'RETRY' } },
    );
    expect(data).toEqual({ submitVerdict: { userErrors: [] } });
    await jobs.desk.becomes(held, 'RESOLVED');
    expect(await kept()).toEqual([false]);
  });
});

describe('values of sensitive columns', () => {
  it.each<[string, () => Promise<object>, readonly string[]]>([
    [
      'CSV',
      async () => {
        const text = `id,email\n${ROWS.map(({ id, email }) => `${id},${email}\n`).join('')}d,hidden-1,hidden-2\n`;
        return { csv: { uri: await jobs.home.write('rows.csv', text) } };
      },
      // Nobody can tell the columns of a malformed line apart.
      [asRead('c'), REDACTED],
    ],
    [
      'NDJSON',
      async () => {
        const text = `${ROWS.map((row) => JSON.stringify(row)).join('\n')}\n{"id":"d","email":"hidden-1"\n"hidden-1"\n`;
        return { ndjson: { uri: await jobs.home.write('rows.ndjson', text) } };
      },
      [asRead('c'), REDACTED, REDACTED],
    ],
    [
      'JSON',
      async () => ({ json: { uri: await jobs.home.write('rows.json', JSON.stringify([...ROWS, 'hidden-1'])) } }),
      [asRead('c'), REDACTED],
    ],
    [
      'Parquet',
      async () => {
        const uri = 'file:rows.parquet';
        const { evaluation } = await jobs.home.run({ source: { records: { rows: ROWS } }, sink: { parquet: { uri } } });
        await copyFile(evaluation.parts[0]?.uri ?? '', join(jobs.home.dataDir, 'rows.parquet'));
        return { parquet: { uri } };
      },
      [asRead('c')],
    ],
    ['inline records', async () => ({ records: { rows: ROWS } }), [asRead('c')]],
  ])('are nowhere in what agents see of a job that reads %s', async (_kind, source, raws) => {
    const { evidence, title } = only(await hidesEmails(await source()));
    expect(title).toMatch(/^orders-[\w-]+: CONSTRAINT_VIOLATION$/);
    const { job, failure } = evidence;
    expect(failure).toMatchObject({
      ...{ code: 'CONSTRAINT_VIOLATION', message: REDACTED },
      details: { sqlState: '23505', constraint: expect.any(String), detail: REDACTED },
    });
    expect(job.sql).toMatch(/read_csv|read_json|read_parquet/);
    expect(job.sql).toContain("CAST(email AS VARCHAR) = '?'");
    // Sets aside is told by code and column; the record shows what is no secret.
    const quarantine = job.quarantine as readonly { raw: string; reasons: readonly object[] }[];
    expect(quarantine.map(({ raw }) => raw)).toEqual(raws);
    expect(quarantine[0]?.reasons).toEqual([{ column: 'email', code: 'LENGTH', message: REDACTED, expectation: 0 }]);
    expect(job.spec).toMatchObject({
      steps: [{ filter: { expression: REDACTED } }, { default: { columns: [{ name: 'email', value: REDACTED }] } }],
      expectations: [{ length: { column: 'email' } }, { inSet: { column: 'email', values: REDACTED } }],
    });
    expect(job.expectations).toMatchObject([
      { kind: 'length', description: REDACTED, failed: 1, samples: [{ raw: asRead('c') }] },
      { kind: 'inSet', description: REDACTED },
    ]);
  });

  it('are kept out of the samples of a job that stops before it loads', async () => {
    const job = await jobs.escalated({
      source: { records: { rows: ROWS } },
      expectations: [{ inSet: { column: 'email', values: ['hidden-2'] }, severity: 'FAIL' }],
      options: { escalation: { sensitiveColumns: ['email'] } },
    });
    expect(job.error.code).toBe('EXPECTATION_FAILED');
    const { evidence, title } = only(job);
    expect(JSON.stringify([evidence, title])).not.toContain('hidden');
    expect(evidence.job.expectations).toMatchObject([
      { failed: 3, samples: ROWS.map(({ id }) => ({ raw: asRead(id) })) },
    ]);
  });

  it.each([
    [['emial'], 'UNKNOWN_COLUMN', ['0'], /no column "emial"/],
    [['email', 'nobody'], 'UNKNOWN_COLUMN', ['1'], /nobody/],
    [['email', 'EMAIL'], 'INVALID_INPUT', ['1'], /twice/],
    [[''], 'INVALID_INPUT', ['0'], /empty/],
  ])('are refused to be those of %j', async (sensitiveColumns, code, path, message) => {
    const refused = await jobs.launch({
      source: { records: { rows: ROWS } },
      options: { escalation: { sensitiveColumns } },
    });
    const at = ['options', 'escalation', 'sensitiveColumns', ...path];
    expect(refused.userErrors).toEqual([{ code, path: at, message: expect.stringMatching(message) }]);
  });

  it('may be those of a column that only a step makes, or takes away', async () => {
    const launched = await jobs.launch({
      source: { records: { rows: ROWS } },
      steps: [
        { derive: { column: 'domain', expression: `split_part(email, '@', 2)` } },
        { select: { columns: ['id', 'domain'] } },
        { sql: { query: 'select domain as place from input' } },
      ],
      options: { escalation: { sensitiveColumns: ['email', 'domain', 'place'] } },
    });
    expect(launched.userErrors).toEqual([]);
  });
});
