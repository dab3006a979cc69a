import { eventually } from '../../support/eventually.js';
import type { Findings } from './judge.js';
import { patiently } from './patience.js';
import type { Servers } from './servers.js';

/** Jobs of one row, which is their number. */
export const tinyJob =
  (name: string, table: string) =>
  (number: number): Readonly<Record<string, unknown>> => ({
    name,
    idempotencyKey: `${name}-${number}`,
    source: { records: { rows: [{ id: number }] } },
    sink: { postgres: { table } },
    options: { maxAttempts: 20 },
  });

export interface TinyJobs {
  readonly name: string;
  readonly table: string;
  readonly launched: number;
  /** How long the last of them may take. */
  readonly withinMs: number;
}

/** Waits for all of them, and finds those that are lost or came twice. */
export async function judgeTinyJobs({ pool }: Servers, jobs: TinyJobs, findings: Findings): Promise<void> {
  const { name, table, launched, withinMs } = jobs;
  const openJobs = () =>
    pool.query<{ state: string; count: number }>(
      `select state, count(*)::integer as count from sluice.job where name = $1 and state <> 'SUCCEEDED' group by 1`,
      [name],
    );
  await eventually(async () => (await patiently(openJobs)).rows.length === 0, withinMs).catch(() => undefined);
  for (const { state, count } of (await openJobs()).rows) findings.lost.push(`${count} jobs ${name} are ${state}`);
  const { rows } = await pool.query<{ all: number; different: number }>(
    `select count(*)::integer as all, count(distinct id)::integer as different from ${table}`,
  );
  const { all = 0, different = 0 } = rows[0] ?? {};
  if (all === launched && different === launched) return;
  findings.differing.push(`${launched} jobs ${name} have loaded ${all} rows, ${different} of them different`);
}
