import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from '../../../src/cli/api-client.js';
import { CANCEL } from '../../../src/cli/job-operations.js';
import { seededFor } from '../../support/seeded.js';
import { JOB_KINDS, largeInputOf, type Place } from './job-kinds.js';
import type { Nodes } from './nodes.js';
import { until } from './until.js';
import { launch } from './workload.js';

/** Somewhere between the claim of the job and its end. */
const LATEST_MS = 900;

/**
 * Cancels jobs at random moments, by any gateway. @returns milliseconds from the request until the worker has stopped: the
 * job is CANCELLED, or was done before
 */
export async function measureCancels(
  nodes: Nodes,
  place: Place,
  seed: number,
  count: number,
): Promise<readonly number[]> {
  const random = seededFor(seed, 'cancels');
  const [kind] = JOB_KINDS;
  if (kind === undefined) throw new Error('there is no kind of job');
  const cancelMs: number[] = [];
  await nodes.allReady();
  for (let i = 0; i < count; i += 1) {
    const target = `cancelled_${i}`;
    await kind.prepare(place, target);
    const jobId = await launch(nodes, largeInputOf(kind, target));
    await until(place, jobId, `state <> 'QUEUED'`);
    await sleep(random() * LATEST_MS);
    const alive = nodes.alive();
    const node = alive[i % alive.length];
    if (node === undefined) throw new Error('no process answers');
    const began = performance.now();
    await createApiClient(node).request(CANCEL, { input: { id: jobId } });
    await until(place, jobId, `state in ('CANCELLED', 'SUCCEEDED')`);
    cancelMs.push(performance.now() - began);
    await kind.remove(place, target);
  }
  return cancelMs;
}
