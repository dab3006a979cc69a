import type { Client } from 'pg';
import type { Figure } from './figures.js';
import type { GatewayClient } from './gateway-client.js';
import type { OrdersFile } from './orders-file.js';
import { inlineJob, ordersJob } from './orders-job.js';
import { freshTable } from './orders-table.js';
import { percentile } from './statistics.js';

/** A job of ten records inside the request, from the launch to SUCCEEDED as the subscriber sees it. */
export async function measureInlineJobs(client: GatewayClient, launches: number): Promise<Figure[]> {
  const times: number[] = [];
  const warmUp = Math.min(20, launches);
  for (let i = 0; i < warmUp + launches; i++) {
    const began = performance.now();
    await client.follow(await client.launch(inlineJob('bench_inline')));
    if (i >= warmUp) times.push(performance.now() - began);
  }
  const note = `${launches} jobs one after the other, embedded default`;
  return [
    { name: 'inline job of 10 records, p50', value: percentile(times, 0.5), unit: 'ms', objective: { max: 150 }, note },
    { name: 'inline job of 10 records, p99', value: percentile(times, 0.99), unit: 'ms' },
  ];
}

/** Chunks far smaller than the default make many events; the table is thrown away. */
const CHUNK_ROWS = 8_192;
/** Events are told some four times a second, so that one load has too few of them for a percentile. */
const EVENT_LOADS = 4;

/**
 * From the commit of a chunk to its event at a subscriber. `at` is the database's clock just before the commit, and
 * that is the clock of this machine when both run here.
 */
export async function measureEventLatency(
  client: GatewayClient,
  database: Client,
  file: OrdersFile,
  table: string,
): Promise<Figure[]> {
  const times: number[] = [];
  for (let load = 0; load < EVENT_LOADS; load++) {
    await freshTable(database, table);
    await client.follow(await client.launch(ordersJob(file.path, table, { chunkRows: CHUNK_ROWS })), (event) => {
      if (event.kind === 'CHUNK') times.push(Date.now() - Date.parse(event.at));
    });
  }
  const note = `${times.length} chunk events while loading`;
  return [
    { name: 'chunk commit to subscriber, p50', value: percentile(times, 0.5), unit: 'ms', note },
    { name: 'chunk commit to subscriber, p99', value: percentile(times, 0.99), unit: 'ms', objective: { max: 250 } },
  ];
}
