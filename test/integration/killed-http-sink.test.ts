import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { eventually } from '../support/eventually.js';
import { type HttpReceiver, startHttpReceiver } from '../support/http-receiver.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';
import { type WorkerFleet, workerFleet } from '../support/worker-fleet.js';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

let runtime: Runtime;
let crm: HttpReceiver;
let home: string;
let fleet: WorkerFleet;
beforeAll(async () => {
  runtime = await aRuntime();
  crm = await startHttpReceiver();
  home = await realpath(await mkdtemp(join(tmpdir(), 'sluice-killed-http-')));
  fleet = await workerFleet(runtime, home, undefined, {
    SLUICE_HTTP_CONNECTIONS: JSON.stringify({ crm: { url: crm.url, headers: { Authorization: 'Bearer top-secret' } } }),
    SLUICE_HTTP_ALLOW: '127.0.0.1',
  });
});
afterAll(async () => {
  await fleet.stop();
  await crm.close();
  await rm(home, { recursive: true, force: true });
});

it('batches of a killed worker come again with the same keys, and a receiver that takes a key once has every row once', async () => {
  const rows = Array.from({ length: 7 }, (_, i) => ({ id: i + 1 }));
  const { json } = parsePipeline({
    source: { records: { rows } },
    sink: { http: { connection: 'crm', path: 'v1/orders', batchRows: 2 } },
  });
  crm.answer((batch, response) => {
    if (!batch.key.includes('-0-2-')) response.writeHead(204).end();
  });
  const worker = await fleet.start();
  const id = await runtime.launch({ spec: json });
  await fleet.queue.offer(id);
  await eventually(() => crm.calls.length === 3, 60_000);
  await worker.kill();
  const sent = crm.keys();
  expect(crm.calls[0]).toMatchObject({ path: '/api/v1/orders', headers: { authorization: 'Bearer top-secret' } });
  await runtime.pool.query('update sluice.chunk set lease_until = statement_timestamp()');
  await runtime.pool.query(
    `update sluice.job set lease_until = statement_timestamp() - interval '1 ms', updated_at = statement_timestamp() - interval '9 s'`,
  );
  await runtime.stores.sweep.takeOver(3, 60_000, 10);
  crm.answer((_batch, response) => response.writeHead(204).end());
  const endpoints = crm.endpoints();
  // Nothing is evaluated again: the parts are there.
  const { queue } = await runtime.worker(partEngine({ parts: [] }), { endpoints });
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 7 } });
  expect(crm.keys().slice(3, 6)).toEqual(sent);
  expect(crm.calls).toHaveLength(7);
  expect(crm.rows()).toEqual(rows);
  await endpoints.close();
});
