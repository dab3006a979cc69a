import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { buildSluiceSchema } from '../../../schema/build.js';
import { stubJobs } from '../../support/stub-jobs.js';

/** What the job service is handed for the members of a launch input. */
async function pipelineOf(members: string, variableValues: Record<string, unknown> = {}): Promise<unknown> {
  let pipeline: unknown;
  const jobs = stubJobs({
    async preview(_caller, given) {
      pipeline = given;
      return { stages: [], sql: '', expectations: [], rowsRead: 0, rowsQuarantined: 0, quarantined: [] };
    },
  });
  const result = await graphql({
    schema: buildSluiceSchema(),
    source: `query ($rows: [JSON!]) { previewEtl(input: {
      source: { records: { ndjson: "{}", rows: $rows } }, sink: { ndjson: { uri: "file:x" } }, ${members}
    }) { userErrors { code } } }`,
    variableValues,
    contextValue: { caller: { tenant: 'default', name: 'x' }, jobs },
  });
  expect(result.errors).toBeUndefined();
  return pipeline;
}

test('everything the engine gets is plain: no classes, no null prototypes, nothing undefined', async () => {
  const pipeline = await pipelineOf('steps: [{ cast: { columns: [{ name: "a", type: INTEGER, precision: null }] } }]');
  expect(pipeline).toStrictEqual({
    source: { records: { ndjson: '{}' } },
    steps: [{ cast: { columns: [{ name: 'a', type: 'INTEGER' }] } }],
    expectations: [],
    sink: { ndjson: { uri: 'file:x' } },
    options: {},
  });
});

test('two members stay two, so that the engine can name the mistake', async () => {
  const pipeline = await pipelineOf('steps: [{ drop: { columns: ["a"] }, select: { columns: ["b"] } }, {}]');
  expect(pipeline).toMatchObject({ steps: [{ drop: { columns: ['a'] }, select: { columns: ['b'] } }, {}] });
});

test('rows and ndjson together stay together', async () => {
  const pipeline = await pipelineOf('steps: []', { rows: [{ a: 1 }] });
  expect(pipeline).toMatchObject({ source: { records: { ndjson: '{}', rows: [{ a: 1 }] } } });
});

test('a limit that no double holds becomes its digits', async () => {
  const pipeline = await pipelineOf(
    'expectations: [{ range: { column: "id", min: 9007199254740993, max: 0.1 }, severity: QUARANTINE }]',
  );
  expect(pipeline).toMatchObject({
    expectations: [{ range: { column: 'id', min: '9007199254740993', max: 0.1 }, severity: 'QUARANTINE' }],
  });
});
