import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Strikes } from './chaos.js';
import { inputOf, JOB_KINDS, type Place } from './job-kinds.js';
import type { Nodes } from './nodes.js';
import { until } from './until.js';
import { launch } from './workload.js';

const LOOK_MS = 20;
const PATIENCE_MS = 60_000;

/**
 * Kills processes in the middle of a part, behind its COPY, with all settings as they are. @returns milliseconds until
 * another process had the part, by the clock that the database shares with us
 */
export async function measureRecovery(
  nodes: Nodes,
  place: Place,
  keys: readonly string[],
  strikes: Strikes,
  count: number,
): Promise<readonly number[]> {
  const [kind] = JOB_KINDS;
  const copy = keys.find((key) => key.startsWith('copy '));
  if (kind === undefined || copy === undefined) throw new Error('no statement copies rows');
  const recoveryMs: number[] = [];
  for (let i = 0; i < count; i += 1) {
    await nodes.allReady();
    const target = `recovery_${i}`;
    await kind.prepare(place, target);
    // Whoever of them gets the job.
    const armed = nodes.alive().map((node) => {
      const point = { at: 'statement', kind: 'KILL', moment: 'AFTER', key: copy, nth: 2 } as const;
      const { struck, disarm } = strikes.arm(node, point);
      return { disarm, struck: struck.then(() => node.pid) };
    });
    const jobId = await launch(nodes, inputOf(kind, target));
    const pid = await Promise.race(armed.map(({ struck }) => struck));
    const killedAt = Date.now();
    for (const { disarm } of armed) disarm();
    recoveryMs.push(await partTaken(place, jobId, killedAt, `${hostname()}:${pid}:`));
    await until(place, jobId, `state = 'SUCCEEDED'`);
    await kind.remove(place, target);
  }
  return recoveryMs;
}

/** Until no part that was in the hands of the worker waits there. */
async function partTaken({ pool }: Place, jobId: string, killedAt: number, worker: string): Promise<number> {
  const end = killedAt + PATIENCE_MS;
  while (Date.now() < end) {
    const { rows } = await pool.query(
      `select from sluice.chunk where job_id = $1 and state = 'PENDING' and lease_token is not null and worker like $2`,
      [jobId, `${worker}%`],
    );
    if (rows.length === 0) return Date.now() - killedAt;
    await sleep(LOOK_MS);
  }
  return Number.POSITIVE_INFINITY;
}
