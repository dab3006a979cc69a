import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isId } from '../core/ids.js';

/** Where parts lie between their evaluation and their load; a folder that every worker of an installation sees. */
export interface StagingArea {
  /** A new folder of the attempt. @returns its absolute path */
  create(jobId: string, token: string): Promise<string>;
  /** Removes the folder of one attempt, or of the whole job. */
  remove(jobId: string, token?: string): Promise<void>;
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
    async jobIds() {
      const names = await readdir(root).catch(() => []);
      return names.filter(isId);
    },
  };
}
