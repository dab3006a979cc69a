import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, contentAddress, plainJson } from '../../../escalation/canonical-json.js';
import { buildEvidence, type EvidenceParts, MAX_EVIDENCE_BYTES } from '../../../escalation/evidence.js';
import type { FailureReport } from '../../../escalation/failure-report.js';
import { NO_SETTINGS } from '../../../escalation/job-settings.js';
import { redact } from '../../../escalation/redact.js';
import { REDACTED } from '../../../escalation/secrets.js';
import { shorten } from '../../../escalation/shorten.js';

const report: FailureReport = {
  id: '01930000-0000-7000-8000-000000000001',
  tenant: 'default',
  kind: 'FAILED',
  source: 'JOB',
  jobId: '01930000-0000-7000-8000-000000000002',
  pipeline: 'orders',
  target: 'default.public.orders',
  owner: 'layer-12',
  code: 'EXPECTATION_FAILED',
  failureClass: 'PIPELINE_DECISION',
  message: 'An expectation failed.',
  details: {},
  at: new Date(1_800_000_000_000),
  settings: NO_SETTINGS,
};

const parts = (changes: Partial<EvidenceParts> = {}): EvidenceParts => ({
  report,
  classification: { failureClass: 'PIPELINE_DECISION', rule: 'expectation-failed', confidence: 1 },
  job: null,
  similar: [],
  ...changes,
});

/** The report of a job that hides these columns. */
const hiding = (...sensitiveColumns: string[]): FailureReport => ({
  ...report,
  settings: { ...NO_SETTINGS, sensitiveColumns },
});

const size = (value: unknown) => Buffer.byteLength(canonicalJson(value));

describe('a bundle of evidence', () => {
  it('holds the failure, why it is of its class, what the job knows, and what worked before', () => {
    const similar = [{ id: 'e1', verdict: 'RETRY', outcome: 'APPLIED' }] as const;
    const { bundle } = buildEvidence(parts({ job: { stage: 'LOADING', rows: 5n, at: report.at }, similar }));
    expect(bundle).toMatchObject({
      failure: { code: 'EXPECTATION_FAILED', at: '2027-01-15T08:00:00.000Z' },
      classification: { rule: 'expectation-failed' },
      job: { stage: 'LOADING', rows: '5', at: '2027-01-15T08:00:00.000Z' },
      similar: [{ verdict: 'RETRY', outcome: 'APPLIED' }],
    });
    expect(bundle).not.toHaveProperty('truncated');
  });

  it('is addressed by its content, whatever the order of the keys', () => {
    const one = buildEvidence(parts({ job: { a: 1, b: { c: 2, d: 3 } } }));
    const other = buildEvidence(parts({ job: { b: { d: 3, c: 2 }, a: 1 } }));
    expect(one.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(one.hash).toBe(other.hash);
    expect(contentAddress(JSON.parse(JSON.stringify(one.bundle)))).toBe(one.hash);
    expect(buildEvidence(parts({ job: { a: 2 } })).hash).not.toBe(one.hash);
  });

  it('shortens the largest list first and says so', () => {
    const events = Array.from({ length: 5 }, (_, seq) => ({ seq, message: 'moved' }));
    const samples = Array.from({ length: 10_000 }, (_, row) => ({ row, raw: 'x'.repeat(100) }));
    const { bundle } = buildEvidence(parts({ job: { events, samples } }));
    expect(size(bundle)).toBeLessThanOrEqual(MAX_EVIDENCE_BYTES);
    expect(bundle.truncated).toEqual([
      { path: '/job/samples', kept: (bundle.job as { samples: unknown[] }).samples.length, of: 10_000, unit: 'items' },
    ]);
    expect(bundle.job).toMatchObject({ events });
    expect((bundle.job as { samples: unknown[] }).samples[0]).toEqual(samples[0]);
  });

  it('shortens long SQL, and keeps the rest', () => {
    const sql = `SELECT ${Array.from({ length: 40_000 }, (_, i) => `column_${i}`).join(', ')} FROM base`;
    const { bundle } = buildEvidence(parts({ job: { sql, stage: 'LOADING' } }));
    const kept = (bundle.job as { sql: string }).sql;
    expect(sql.startsWith(kept)).toBe(true);
    expect(bundle.truncated).toEqual([{ path: '/job/sql', kept: kept.length, of: sql.length, unit: 'characters' }]);
    expect(bundle.job).toMatchObject({ stage: 'LOADING' });
  });

  it('never exceeds its size, and is the same when it fits', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })),
        fc.integer({ min: 1_000, max: 20_000 }),
        (details, max) => {
          const job = {
            lists: Array.from({ length: 200 }, () => details),
            text: JSON.stringify(details).repeat(50),
            details,
          };
          const { bundle, hash } = buildEvidence(parts({ job }), max);
          expect(size(bundle)).toBeLessThanOrEqual(max);
          expect(contentAddress(JSON.parse(JSON.stringify(bundle)))).toBe(hash);
          const whole = plainJson(redact(plainJson(job)));
          if (!('truncated' in bundle)) expect(bundle.job).toEqual(whole);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('shortens whatever JSON there is to nothing at all, if need be', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 })), (value) => {
        expect(size(shorten(plainJson(value) as Record<string, unknown>, 100).value)).toBeLessThanOrEqual(100);
      }),
      { numRuns: 300 },
    );
  });

  it('holds nothing that jsonb refuses', () => {
    const { bundle } = buildEvidence(parts({ job: { 'a\u0000b': 'nul \u0000, half \ud800 of a pair' } }));
    expect(bundle.job).toEqual({ 'a\ufffdb': 'nul \ufffd, half \ufffd of a pair' });
  });

  it('leaves out what is nested without an end', () => {
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 1_000; level += 1) deep = { deep };
    expect(size(buildEvidence(parts({ job: deep })).bundle)).toBeLessThan(2_000);
  });
});

describe('redacting', () => {
  it.each([
    'password',
    'dbPassword',
    'SECRET',
    'client_secret',
    'authorization',
    'Api-Key',
    'apiKey',
    'APIKey',
    'accessKey',
    'x-auth-token',
    'connectionString',
  ])('hides what stands under %s', (key) => {
    expect(redact({ [key]: 'hunter2', deep: [{ [key]: { any: 'hunter2' } }] })).toEqual({
      [key]: REDACTED,
      deep: [{ [key]: REDACTED }],
    });
  });

  it.each(['passed', 'author', 'key', 'primaryKey', 'connection', 'tokenizer', 'compass'])('leaves %s alone', (key) => {
    expect(redact({ [key]: 'kept' })).toEqual({ [key]: 'kept' });
  });

  it.each([
    ['postgres://u:p@ss@db:5432/x failed', `postgres://${REDACTED}@db:5432/x failed`],
    ['https://token@host/path?a=b', `https://${REDACTED}@host/path?a=b`],
    ['host=db user=u password=hunter2 dbname=x', `host=db user=u password=${REDACTED} dbname=x`],
    ["Server=db;Pwd='a b';Database=x", `Server=db;Pwd=${REDACTED};Database=x`],
    ['GET /x?api_key=hunter2&page=2', `GET /x?api_key=${REDACTED}&page=2`],
    ['Authorization: Bearer abcdefgh.ijkl', `Authorization: Bearer ${REDACTED}`],
    ['see https://example.org/a@b', 'see https://example.org/a@b'],
  ])('hides credentials in %j', (text, clean) => {
    expect(redact({ text })).toEqual({ text: clean });
  });

  it('hides the values of sensitive columns in samples, raw records and the words of PostgreSQL', () => {
    const job = {
      spec: { options: { escalation: { sensitiveColumns: ['email'] } } },
      samples: [{ Email: 'ann@example.org', id: 1 }],
      quarantine: [
        { raw: '{"id":1,"email":"ann@example.org"}' },
        { raw: '1;ann@example.org' },
        { raw: '[1,"ann@example.org"]' },
      ],
      reasons: [{ column: 'email', code: 'CAST', message: 'ann@example.org is no number' }],
      error: {
        detail: 'Key (id, email)=(1, ann@example.org) already exists.',
        where: 'Failing row contains (1, ann@example.org, null).',
        other: 'Key (id)=(7) already exists.',
      },
    };
    const { bundle } = buildEvidence(parts({ job, report: hiding('email') }));
    expect(JSON.stringify(bundle)).not.toContain('ann@');
    expect(bundle.job).toMatchObject({
      spec: { options: { escalation: { sensitiveColumns: ['email'] } } },
      samples: [{ Email: REDACTED, id: 1 }],
      quarantine: [{ raw: `{"id":1,"email":"${REDACTED}"}` }, { raw: REDACTED }, { raw: REDACTED }],
      error: { other: 'Key (id)=(7) already exists.' },
    });
  });

  it('takes sensitive columns in any case', () => {
    const { bundle } = buildEvidence(parts({ job: { samples: [{ iban: 'AT00' }] }, report: hiding('IBAN') }));
    expect(bundle.job).toEqual({ samples: [{ iban: REDACTED }] });
  });

  it('hides what the options of steps and expectations say of a sensitive column, and nothing else of them', () => {
    const steps = [
      {
        default: {
          columns: [
            { name: 'email', value: 'ann@a' },
            { name: 'country', value: 'DE' },
          ],
        },
      },
      { map: { column: 'Email', entries: [{ from: 'ann@a', to: 'bob@b' }], unmapped: 'KEEP' } },
      { derive: { column: 'email', expression: `'ann@a'` } },
      { derive: { column: 'domain', expression: `split_part("email", '@', 2) = 'ann@a'` } },
      { filter: { expression: `country <> 'FR' and emails > 2` } },
      { hash: { columns: ['id'], salt: 'ann@a' } },
      { sql: { query: `select * from input where EMAIL = 'ann@a'` } },
      { select: { columns: ['id', 'email'] } },
    ];
    const expectations = [
      { inSet: { column: 'email', values: ['ann@a'] }, severity: 'FAIL', threshold: { count: 1 } },
      { range: { column: 'total', min: 1 }, severity: 'WARN' },
    ];
    const source = { records: { ndjson: '{"id":1,"email":"ann@a"}\n{"id":2,"email":"ann@b"}\nann@c\n' } };
    const outcomes = [{ ordinal: 0, kind: 'inSet', description: 'email in (ann@a)', failed: 3 }];
    const job = {
      spec: { source, steps, expectations },
      expectations: outcomes,
      specPatches: [{ verdictId: 'v', patch: { expectations, steps: null } }],
    };
    const { bundle } = buildEvidence(parts({ job, report: hiding('email') }));
    expect(JSON.stringify(bundle)).not.toMatch(/ann@|bob@/);
    const kept = [
      { inSet: { column: 'email', values: REDACTED }, severity: 'FAIL', threshold: { count: 1 } },
      expectations[1],
    ];
    expect(bundle.job).toEqual({
      spec: {
        source: {
          records: { ndjson: `{"id":1,"email":"${REDACTED}"}\n{"id":2,"email":"${REDACTED}"}\n${REDACTED}\n` },
        },
        steps: [
          {
            default: {
              columns: [
                { name: 'email', value: REDACTED },
                { name: 'country', value: 'DE' },
              ],
            },
          },
          { map: { column: 'Email', entries: REDACTED, unmapped: REDACTED } },
          { derive: { column: 'email', expression: REDACTED } },
          { derive: { column: 'domain', expression: REDACTED } },
          steps[4],
          { hash: { columns: ['id'], salt: REDACTED } },
          { sql: { query: REDACTED } },
          steps[7],
        ],
        expectations: kept,
      },
      expectations: [{ ...outcomes[0], description: REDACTED }],
      specPatches: [{ verdictId: 'v', patch: { expectations: kept, steps: null } }],
    });
  });

  it('hides the words about errors where values may stand in them, and keeps codes and names', () => {
    const details = {
      ...{ sqlState: '23505', constraint: 'orders_email', table: 'orders', column: 'email', stage: 'FINISHING' },
      detail: 'Key (lower(email))=(ann@a) is duplicated.',
      where: 'COPY orders, line 3, column email: "ann@a"',
    };
    const reasons = [{ column: 'mail', code: 'CAST_FAILED', message: '"ann@a" is no INTEGER.' }];
    const job = {
      error: { code: 'CONSTRAINT_VIOLATION', message: 'PostgreSQL says: bad value ann@a.', details },
      quarantine: [
        { reasons, raw: '{"id":12345678901234567890,"email":"ann@a"}' },
        { reasons, raw: '7' },
      ],
      events: [
        { seq: 1, message: 'Tried again: ann@a.', code: 'UNAVAILABLE' },
        { seq: 2, message: 'Attempt 2 runs.', code: null },
      ],
    };
    const failed = { ...hiding('email'), message: 'ann@a', details: { detail: 'Key (id)=(7) already exists.' } };
    const { bundle } = buildEvidence(parts({ job, report: failed }));
    expect(JSON.stringify(bundle)).not.toContain('ann@');
    expect(bundle).toMatchObject({
      failure: { message: REDACTED, details: { detail: 'Key (id)=(7) already exists.' } },
      job: {
        error: {
          ...{ code: 'CONSTRAINT_VIOLATION', message: REDACTED },
          details: { ...details, detail: REDACTED, where: REDACTED },
        },
        quarantine: [
          {
            reasons: [{ column: 'mail', code: 'CAST_FAILED', message: REDACTED }],
            raw: `{"id":12345678901234567890,"email":"${REDACTED}"}`,
          },
          { raw: REDACTED },
        ],
        events: [{ message: REDACTED }, { message: 'Attempt 2 runs.' }],
      },
    });
  });

  it('leaves everything as it is where no column is sensitive', () => {
    const job = {
      spec: { steps: [{ filter: { expression: `email = 'ann@a'` } }] },
      error: {
        code: 'CONSTRAINT_VIOLATION',
        message: 'ann@a',
        details: { detail: 'Key (email)=(ann@a) already exists.' },
      },
      quarantine: [{ raw: 'ann@a' }],
    };
    expect(buildEvidence(parts({ job })).bundle.job).toEqual(job);
  });

  it('lets no secret through, wherever it stands', () => {
    const SECRET = 'hunter2-hunter2';
    const wrap = fc.constantFrom(
      (inner: unknown) => [inner],
      (inner: unknown) => ({ plain: inner }),
      (inner: unknown) => ({ list: [1, inner], next: null }),
    );
    const leak = fc.constantFrom<unknown>(
      { password: SECRET },
      { headers: { Authorization: SECRET } },
      { email: SECRET },
      { raw: JSON.stringify({ email: SECRET }) },
      { raw: `1,${SECRET}` },
      { raw: JSON.stringify(SECRET) },
      { ndjson: `{"id":1}\n${JSON.stringify({ email: SECRET })}` },
      { column: 'email', code: 'CAST_FAILED', message: `"${SECRET}" is no INTEGER.` },
      { column: 'other', code: 'CAST_FAILED', message: `"${SECRET}" is no INTEGER.` },
      { detail: `Key (id, email)=(1, ${SECRET}) conflicts with existing key (id, email)=(1, ${SECRET}).` },
      { detail: `Key (id)=(1) conflicts with existing key (email)=(${SECRET}).` },
      { where: `COPY orders, line 1: "1\t${SECRET}"` },
      { steps: [{ filter: { expression: `"EMAIL" = '${SECRET}'` } }] },
      { expectations: [{ inSet: { column: 'email', values: [SECRET] } }] },
      { expectations: [{ newOne: { columns: ['id', 'email'], deep: [{ of: SECRET }] } }] },
      { expectations: [{ kind: 'inSet', description: `email in (${SECRET})` }] },
      `postgres://user:${SECRET}@host/db`,
      `connect failed: password=${SECRET}`,
      { url: `https://${SECRET}@host/` },
    );
    fc.assert(
      fc.property(leak, fc.array(wrap, { maxLength: 8 }), (secret, wraps) => {
        const job = wraps.reduce<unknown>((inner, one) => one(inner), secret);
        const { bundle } = buildEvidence(parts({ job: { job }, report: hiding('email') }));
        expect(JSON.stringify(bundle)).not.toContain(SECRET);
      }),
    );
  });
});
