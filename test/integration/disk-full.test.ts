import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job'));

const engine = partEngine({ parts: [[[1, 'a']]] });
const due = async () => {
  await runtime.pool.query(`update sluice.job set due_at = statement_timestamp() where state = 'RETRYING'`);
  await runtime.stores.sweep.due(10);
};

it('begins no evaluation while other parts fill the staging area, and goes on when there is room', async () => {
  const staging = createStagingArea(runtime.staging);
  const { queue } = await runtime.worker(engine, { stagingMaxBytes: 1_000 });
  const other = await staging.create('0192aaaa-0000-7000-8000-000000000001', '0192aaaa-0000-7000-8000-000000000002');
  await writeFile(join(other, 'part'), 'x'.repeat(1_000));
  const id = await runtime.launch();
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({
    state: 'RETRYING',
    error: {
      code: 'STAGING_FULL',
      failureClass: 'TRANSIENT',
      message: expect.stringContaining('SLUICE_STAGING_MAX_MB'),
    },
  });
  await staging.remove('0192aaaa-0000-7000-8000-000000000001');
  await due();
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', error: null });
});
