import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.js';
import { SluiceError } from '../../src/core/errors.js';
import { createLog } from '../../src/core/log.js';
import { type Migration, migrate, readMigrations } from '../../src/store/migrate.js';
import { emptyDatabase, onServer, urlOfDatabase } from '../support/database.js';

const log = createLog('silent');

function aMigration(number: number, sql: string): Migration {
  const name = `${String(number).padStart(4, '0')}_test`;
  return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

const TABLES = [aMigration(1, 'create table sluice.a (id int)'), aMigration(2, 'create table sluice.b (id int)')];

async function refusalOf(run: Promise<unknown>): Promise<SluiceError> {
  const thrown = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof SluiceError) return thrown;
  throw new Error(`not refused with a SluiceError: ${String(thrown)}`);
}

test('applies what is missing, in order, once', async () => {
  const { url, pool } = await emptyDatabase();
  expect(await migrate(url, { log, migrations: TABLES.slice(0, 1) })).toEqual(['0001_test']);
  expect(await migrate(url, { log, migrations: TABLES })).toEqual(['0002_test']);
  expect(await migrate(url, { log, migrations: TABLES })).toEqual([]);
  const { rows } = await pool.query('select number, name from sluice.migration order by number');
  expect(rows).toEqual([
    { number: 1, name: '0001_test' },
    { number: 2, name: '0002_test' },
  ]);
});

test('many migrators at once all succeed, and each migration is applied by one of them', async () => {
  const { url } = await emptyDatabase();
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url, { log, migrations: TABLES })));
  expect(applied.flat().sort()).toEqual(['0001_test', '0002_test']);
});

test('a migration that fails leaves nothing behind, and the ones before it stay', async () => {
  const { url, pool } = await emptyDatabase();
  const broken = aMigration(2, 'create table sluice.b (id int); select 1/0');
  await expect(migrate(url, { log, migrations: [...TABLES.slice(0, 1), broken] })).rejects.toThrow('division by zero');
  const { rows } = await pool.query(
    "select to_regclass('sluice.a') is not null as a, to_regclass('sluice.b') is not null as b",
  );
  expect(rows).toEqual([{ a: true, b: false }]);
  expect(await migrate(url, { log, migrations: TABLES })).toEqual(['0002_test']);
});

test('a migration that was edited after it ran is refused', async () => {
  const { url } = await emptyDatabase();
  await migrate(url, { log, migrations: TABLES });
  const edited = [aMigration(1, 'create table sluice.a (id bigint)'), ...TABLES.slice(1)];
  const refusal = await refusalOf(migrate(url, { log, migrations: edited }));
  expect(refusal.code).toBe('MIGRATION_CHANGED');
  expect(refusal.message).toContain('0001_test');
});

test('a database that a newer Sluice migrated is refused', async () => {
  const { url } = await emptyDatabase();
  await migrate(url, { log, migrations: TABLES });
  const refusal = await refusalOf(migrate(url, { log, migrations: TABLES.slice(0, 1) }));
  expect(refusal.code).toBe('DATABASE_TOO_NEW');
  expect(refusal.message).toContain('0002_test');
});

test('the migrations of the code have unique numbers without gaps and run on an empty database', async () => {
  const migrations = await readMigrations();
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  const { url } = await emptyDatabase();
  expect(await migrate(url, { log })).toEqual(migrations.map(({ name }) => name));
});

/** A message of the PostgreSQL protocol (documentation, chapter "Message Formats"). */
function message(type: string, ...body: Buffer[]): Buffer {
  const content = Buffer.concat(body);
  const head = Buffer.alloc(5);
  head.write(type, 0);
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

const text = (value: string) => Buffer.from(`${value}\0`);
const int16 = (n: number) => Buffer.from([n >> 8, n & 255]);
const int32 = (n: number) => Buffer.concat([int16(0), int16(n)]);
const READY = message('Z', Buffer.from('I'));

/** A server that gives one answer to the greeting and one to the first query: what no real one here would say. */
async function fakeServer(...answers: Buffer[][]): Promise<{ url: string; close(): void }> {
  const server = createServer((socket) => {
    const left = [...answers];
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(Buffer.concat(left.shift() ?? [])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `postgresql://u:secret@127.0.0.1:${port}/db`, close: () => server.close() };
}

test('PostgreSQL 13 is refused as too old', async () => {
  const column = (name: string) =>
    Buffer.concat([text(name), int32(0), int16(0), int32(25), int16(0xffff), int32(0), int16(0)]);
  const field = (value: string) => Buffer.concat([int32(value.length), Buffer.from(value)]);
  const row = message('D', int16(2), field('130014'), field('13.14'));
  const columns = message('T', int16(2), column('number'), column('version'));
  const old = await fakeServer([message('R', int32(0)), READY], [columns, row, message('C', text('SELECT 1')), READY]);
  const refusal = await refusalOf(migrate(old.url, { log }));
  old.close();
  expect(refusal.code).toBe('DATABASE_TOO_OLD');
  expect(refusal.message).toContain('13.14');
});

describe('a database that cannot be used is refused with a sentence that says what to check', () => {
  test.each<[string, () => string, ErrorCode, RegExp]>([
    [
      'nothing listens',
      () => 'postgresql://u:secret@127.0.0.1:1/db',
      'DATABASE_UNREACHABLE',
      /127\.0\.0\.1:1\/db .*is the server running/,
    ],
    [
      'no such database',
      () => urlOfDatabase('no_such_database'),
      'DATABASE_UNREACHABLE',
      /no_such_database .*does not exist/,
    ],
    [
      'no such host',
      () => 'postgresql://u:secret@host.invalid/db',
      'DATABASE_UNREACHABLE',
      /host\.invalid:5432\/db .*host name/,
    ],
  ])('%s', async (_name, url, code, message) => {
    const refusal = await refusalOf(migrate(url(), { log }));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(message);
    expect(refusal.message).toContain('check DATABASE_URL');
    expect(refusal.message).not.toContain('secret');
  });

  // The server of the run may let everybody in.
  test('wrong password', async () => {
    const fields = ['SFATAL', 'C28P01', 'Mpassword authentication failed for user "u"'];
    const strict = await fakeServer([message('E', ...fields.map(text), Buffer.from([0]))]);
    const refusal = await refusalOf(migrate(strict.url, { log }));
    strict.close();
    expect(refusal.message).toMatch(/the password is wrong; check DATABASE_URL/);
    expect(refusal.message).not.toContain('secret');
  });

  test('no right to create the schema', async () => {
    const { url, pool } = await emptyDatabase();
    const role = `sluice_test_poor_${process.pid}`;
    await onServer(`create role ${role} login password 'right'`);
    const poor = new URL(url);
    poor.username = role;
    poor.password = 'right';
    const refusal = await refusalOf(migrate(poor.href, { log })).finally(() => pool.query(`drop role ${role}`));
    expect(refusal.message).toMatch(/grant CREATE on the database/);
  });
});
