import { readdir, readFile } from 'node:fs/promises';
import type { Client } from 'pg';

// /proc counts in clock ticks; Linux has 100 a second on every platform that Node runs on (USER_HZ).
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  /** CPU seconds of the process itself. */
  readonly own: number;
  /** CPU seconds of its children that have ended and were waited for. */
  readonly endedChildren: number;
}

/** undefined where there is no /proc, or no such process any more. */
async function statOf(pid: number): Promise<ProcessStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name stands in parentheses and may hold spaces: everything else comes after the last one.
  const end = text.lastIndexOf(')');
  const field = text.slice(end + 2).split(' ');
  const ticks = (index: number) => Number(field[index]) / TICKS_PER_SECOND;
  const name = text.slice(text.indexOf('(') + 1, end);
  return { pid, name, parent: Number(field[1]), own: ticks(11) + ticks(12), endedChildren: ticks(13) + ticks(14) };
}

/** CPU seconds that a process and its ended children have used so far; NaN where that is not known. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await statOf(pid);
  return stat === undefined ? Number.NaN : stat.own + stat.endedChildren;
}

/** The postmaster of a server on this machine; undefined when it runs elsewhere. */
export async function postmasterOf(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const backend = await statOf(rows[0]?.pid ?? 0);
  return backend !== undefined && /postgres|postmaster/.test(backend.name) ? backend.parent : undefined;
}

/** CPU seconds of all backends, living and gone, and the server's own workers. */
export async function postgresCpuSeconds(postmaster: number | undefined): Promise<number> {
  if (postmaster === undefined) return Number.NaN;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(statOf));
  const children = stats.filter((stat) => stat?.parent === postmaster);
  return children.reduce((sum, stat) => sum + (stat?.own ?? 0), await cpuSeconds(postmaster));
}

/** Peak resident memory in MiB since the process began; NaN where there is no /proc. */
export async function peakMemoryMb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kb = /^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1];
  return kb === undefined ? Number.NaN : Number(kb) / 1024;
}
