import { expect, it } from 'vitest';
import { parsePipeline } from '../../../src/engine/parse-pipeline.js';
import { replaySpec } from '../../../src/jobs/quarantine/replay-spec.js';

const { json: spec } = parsePipeline({
  source: { records: { rows: [{ id: 1 }] } },
  sink: { http: { connection: 'crm' } },
});
// Nothing else of the job is looked at.
const origin = { id: '00000000-0000-7000-8000-000000000000', spec } as unknown as Parameters<typeof replaySpec>[0];

it('refuses to replay rows into a target that takes nothing back, and takes another one', () => {
  expect(() => replaySpec(origin, [], null)).toThrow('What an HTTP sink has sent cannot be taken back');
  const patch = { sink: { http: null, postgres: { table: 'orders' } } };
  expect(replaySpec(origin, [], patch)).toMatchObject({ sink: { postgres: { table: 'orders', staged: true } } });
});
