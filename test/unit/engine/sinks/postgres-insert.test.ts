import { expect, it } from 'vitest';
import { insertSql } from '../../../../src/engine/sinks/postgres-insert.js';
import { type PreparedPostgres, parsePrepared, stagingName } from '../../../../src/engine/sinks/postgres-plan.js';

const prepared: PreparedPostgres = {
  schema: 'public',
  table: 'a"b',
  mode: 'UPSERT',
  columns: ['id', 'v'],
  key: ['id'],
  ending: 'DIRECT',
  staging: null,
  reasons: [],
  fingerprint: null,
  readBack: null,
  loadIdColumn: null,
};

it('upserts in the order of the key and leaves equal rows alone', () => {
  expect(insertSql(prepared, { schema: null, name: 'part' })).toBe(
    'INSERT INTO "public"."a""b" AS t ("id", "v") SELECT "id", "v" FROM "pg_temp"."part" ORDER BY "id" ON CONFLICT ("id") ' +
      'DO UPDATE SET "v" = excluded."v" WHERE pg_catalog.record_image_ne(ROW(t."v"), ROW(excluded."v"))',
  );
});

it('names staging tables within the limit of a name', () => {
  expect(stagingName('0192f0a0-0000-7000-8000-000000000000')).toBe('_sluice_0192f0a0000070008000000000000000');
});

it('refuses what an older or newer version prepared', () => {
  expect(parsePrepared(JSON.parse(JSON.stringify(prepared)))).toEqual(prepared);
  expect(() => parsePrepared({ ...prepared, ending: 'MAGIC' })).toThrow('postgres sink');
  expect(() => parsePrepared(null)).toThrow('postgres sink');
});
