import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { folderBytes } from '../core/folder-bytes.js';
import { isId } from '../core/ids.js';

export interface StagedAttempt {
  readonly jobId: string;
  readonly token: string;
  readonly modifiedMs: number;
}

/** Where parts lie between their evaluation and their load; a folder that every worker of an installation sees. */
export interface StagingArea {
  /** A new folder of the attempt. @returns its absolute path */
  create(jobId: string, token: string): Promise<string>;
  /** Removes the folder of one attempt, or of the whole job. */
  remove(jobId: string, token?: string): Promise<void>;
  /** Bytes that all of it takes. */
  bytes(): Promise<number>;
  /** Every attempt that has a folder here, and when something was last made in it. */
  attempts(): Promise<readonly StagedAttempt[]>;
  /** Jobs that have something here. */
  jobIds(): Promise<readonly string[]>;
}

/** @param root absolute path of a local (or shared) directory, made when missing */
export function createStagingArea(root: string): StagingArea {
  return {
    async create(jobId, token) {
      const folder = join(root, jobId, token);
      await mkdir(folder, { recursive: true });
      return folder;
    },
    async remove(jobId, token) {
      await rm(token === undefined ? join(root, jobId) : join(root, jobId, token), { recursive: true, force: true });
    },
    bytes: () => folderBytes(root),
    async attempts() {
      const found: StagedAttempt[] = [];
      for (const jobId of await idsIn(root)) {
        for (const token of await idsIn(join(root, jobId))) {
          const stats = await stat(join(root, jobId, token)).catch(() => null);
          if (stats) found.push({ jobId, token, modifiedMs: stats.mtimeMs });
        }
      }
      return found;
    },
    jobIds: () => idsIn(root),
  };
}

const idsIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(() => [])).filter(isId);
