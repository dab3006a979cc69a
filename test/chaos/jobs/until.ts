import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from './job-kinds.js';

const LOOK_MS = 10;
const PATIENCE_MS = 60_000;

/** Waits until the job is so. @param condition SQL over its row @throws Error when it takes too long */
export async function until({ pool }: Place, jobId: string, condition: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const { rows } = await pool.query(`select from sluice.job where id = $1 and ${condition}`, [jobId]);
    if (rows.length > 0) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`job ${jobId}: not within ${PATIENCE_MS} ms: ${condition}`);
}
