import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from '../../../src/cli/api-client.js';
import { PAUSE_QUEUE, RESUME_QUEUE } from '../../../src/cli/queue-operations.js';
import { eventually } from '../../support/eventually.js';
import type { Findings } from './judge.js';
import type { Nodes } from './nodes.js';
import { patiently } from './patience.js';
import type { Servers } from './servers.js';
import { judgeTinyJobs, tinyJob } from './tiny-jobs.js';
import { launch } from './workload.js';

const NAME = 'flood';
const LAUNCHERS = 12;
/** So many are done before the queue loses its content. */
const DONE_BEFORE = 20;
const LOOK_MS = 20;
const PATIENCE_MS = 60_000;
const PER_JOB_MS = 500;

/**
 * FLUSHALL while so many jobs wait. @returns milliseconds until every job that waits has a hint again; undefined when the
 * queue is not on Redis
 */
export async function floodAndFlush(
  nodes: Nodes,
  servers: Servers,
  count: number,
  findings: Findings,
  tell: (line: string) => void,
): Promise<number | undefined> {
  const { pool, redis } = servers;
  if (redis === undefined || count === 0) return undefined;
  await nodes.allReady();
  await pool.query(`create table ${NAME} (id bigint)`);
  const [node] = nodes.alive();
  if (node === undefined) throw new Error('no process answers');
  const api = createApiClient(node);
  await api.request(PAUSE_QUEUE, { input: { reason: 'so many jobs are to wait' } });
  const inputOf = tinyJob(NAME, NAME);
  let launched = 0;
  const launcher = async () => {
    while (launched < count) await launch(nodes, inputOf(launched++));
  };
  await Promise.all(Array.from({ length: LAUNCHERS }, launcher));
  await api.request(RESUME_QUEUE, { input: { reason: null } });

  const waiting = async () => {
    const { rows } = await patiently(() =>
      pool.query<{ queued: number; done: number }>(
        `select (count(*) filter (where state = 'QUEUED'))::integer as queued,
           (count(*) filter (where state = 'SUCCEEDED'))::integer as done from sluice.job where name = $1`,
        [NAME],
      ),
    );
    return { queued: rows[0]?.queued ?? 0, done: rows[0]?.done ?? 0 };
  };
  const isWhole = async () => {
    const hints = await redis.hints();
    return hints >= (await waiting()).queued;
  };
  await eventually(async () => (await waiting()).done >= DONE_BEFORE && (await isWhole()), PATIENCE_MS);
  await redis.flush();
  const flushedAt = performance.now();
  tell(`FLUSHALL while ${(await waiting()).queued} jobs wait`);
  while (!(await isWhole()) && performance.now() - flushedAt < PATIENCE_MS) await sleep(LOOK_MS);
  const againMs = performance.now() - flushedAt;
  const withinMs = PATIENCE_MS + count * PER_JOB_MS;
  await judgeTinyJobs(servers, { name: NAME, table: NAME, launched: count, withinMs }, findings);
  return againMs;
}
