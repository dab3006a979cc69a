import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { startDueLoop } from '../core/due-loop.js';
import type { Log } from '../core/log.js';
import type { FileResolver } from '../engine/pipeline.js';
import type { StagingArea } from './staging-area.js';
import type { SweepStore } from './stores.js';

const CLEAN_MS = 60_000;
/** Nobody writes to a temporary file or folder once in so long; what does has died. */
const ABANDONED_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

export interface JanitorOptions {
  readonly uploadsDir: string;
  /** Where checks and previews work, each in a folder of its own. */
  readonly scratchDir: string;
  /** Days for which an upload is kept after it was written; 0 for ever. */
  readonly uploadsDays: number;
  readonly staging: StagingArea;
  readonly sweep: Pick<SweepStore, 'uploadUris' | 'abandonedAttempts'>;
  readonly files: FileResolver;
  readonly clock: Clock;
  readonly log: Log;
}

interface Found {
  readonly name: string;
  readonly path: string;
  readonly ageMs: number;
}

/**
 * Removes files that nobody owns any more: what killed processes left, and old uploads. Folders of ended jobs are the
 * sweeper's. Several of them do no harm, for what one has removed the others do not find.
 */
export function startJanitor(options: JanitorOptions) {
  const { uploadsDir, scratchDir, uploadsDays, staging, sweep, files, clock, log } = options;

  async function found(folder: string): Promise<readonly Found[]> {
    const names = await readdir(folder).catch(() => []);
    const all: Found[] = [];
    for (const name of names) {
      const path = join(folder, name);
      const stats = await lstat(path).catch(() => null);
      if (stats) all.push({ name, path, ageMs: clock.now().getTime() - stats.mtimeMs });
    }
    return all;
  }

  async function remove(what: string, doomed: readonly Found[]): Promise<void> {
    for (const { path } of doomed) await rm(path, { recursive: true, force: true });
    if (doomed.length > 0) log.info({ what, removed: doomed.length }, 'what nobody needs any more was removed');
  }

  async function cleanUploads(): Promise<void> {
    const uploads = await found(uploadsDir);
    const halves = uploads.filter(({ name, ageMs }) => /^\..*\.part$/.test(name) && ageMs > ABANDONED_MS);
    await remove('half-written uploads', halves);
    if (uploadsDays === 0) return;
    const old = uploads.filter(({ name, ageMs }) => !name.startsWith('.') && ageMs > uploadsDays * DAY_MS);
    if (old.length === 0) return;
    // Read last, so that a job that was launched meanwhile keeps its upload.
    const needed = await neededUploads();
    await remove(
      'old uploads',
      old.filter(({ name }) => !needed.has(name)),
    );
  }

  /** Names of the uploads that jobs which have not ended read from. */
  async function neededUploads(): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const uri of await sweep.uploadUris()) {
      // One that matches nothing needs nothing.
      const read = await files.resolve(uri).catch(() => []);
      for (const { path } of read) names.add(basename(path));
    }
    return names;
  }

  async function cleanStaging(): Promise<void> {
    const attempts = await staging.attempts();
    const still = attempts.filter(({ modifiedMs }) => clock.now().getTime() - modifiedMs > ABANDONED_MS);
    if (still.length === 0) return;
    const abandoned = await sweep.abandonedAttempts(still);
    for (const { jobId, token } of abandoned) await staging.remove(jobId, token);
    if (abandoned.length > 0)
      log.info({ removed: abandoned.length }, 'what killed workers had staged and nobody needs was removed');
  }

  async function round(): Promise<null> {
    const scratch = await found(scratchDir);
    await remove(
      'scratch folders',
      scratch.filter(({ name, ageMs }) => name.startsWith('sluice-') && ageMs > ABANDONED_MS),
    );
    await cleanStaging();
    await cleanUploads();
    return null;
  }

  return startDueLoop({ name: 'janitor', work: round, pollMs: CLEAN_MS, clock, log });
}
