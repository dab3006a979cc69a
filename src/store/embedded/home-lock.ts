import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { hasCode, isProcessAlive, processStart } from './process-probe.js';

interface Holder {
  readonly pid: number;
  /** When the process began, as the system counts it: tells a live holder from a new process with an old pid. */
  readonly start: string | undefined;
  readonly id: string;
}

export interface HomeLock {
  release(): Promise<void>;
}

const isAlive = async ({ pid, start }: Holder): Promise<boolean> =>
  isProcessAlive(pid) && (start === undefined || start === (await processStart(pid)));

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid, start, id] = text.split('\n');
  // Lock files are linked into place complete; one that does not parse was damaged by hand, and nobody holds it.
  return { pid: Number(pid) || 0, start: start || undefined, id: id ?? '' };
}

function locked(home: string, { pid }: Holder): SluiceError {
  return new SluiceError(
    'HOME_LOCKED',
    `SLUICE_HOME ${home} is in use by the Sluice process ${pid}: stop that one, give this one another SLUICE_HOME, or set DATABASE_URL so that both share one PostgreSQL.`,
    { details: { home, pid } },
  );
}

/** Removes the lock of a dead holder. Two that try at once cannot both win: only one of them gets the rename. */
async function removeStale(path: string, stale: Holder): Promise<void> {
  const aside = `${path}.${newId()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const taken = await readHolder(aside);
  // Somebody removed the stale lock and took the home between our look and our rename: give it back.
  if (taken !== undefined && taken.id !== stale.id) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/**
 * Takes the home for this process, until `release` or the end of the process, be it by kill -9.
 *
 * @throws SluiceError HOME_LOCKED naming the process that has it
 */
export async function lockHome(home: string): Promise<HomeLock> {
  await mkdir(home, { recursive: true });
  const path = join(home, 'embedded-postgres.lock');
  const mine: Holder = { pid: process.pid, start: await processStart(process.pid), id: newId() };
  const draft = `${path}.${mine.id}`;
  await writeFile(draft, [mine.pid, mine.start ?? '', mine.id].join('\n'), { mode: 0o644 });
  try {
    // A few rounds: each one either takes the lock, finds a live holder, or clears one stale lock away.
    for (let round = 0; round < 10; round++) {
      try {
        await link(draft, path);
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
        const holder = await readHolder(path);
        if (holder !== undefined && (await isAlive(holder))) throw locked(home, holder);
        if (holder !== undefined) await removeStale(path, holder);
        continue;
      }
      return {
        release: async () => {
          if ((await readHolder(path))?.id === mine.id) await rm(path, { force: true });
        },
      };
    }
    throw locked(home, (await readHolder(path)) ?? mine);
  } finally {
    await rm(draft, { force: true });
  }
}
