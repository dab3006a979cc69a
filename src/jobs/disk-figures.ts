import { answersWithin } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import { folderBytes } from '../core/folder-bytes.js';
import type { StagingArea } from './staging-area.js';

export interface DiskFigures {
  readonly stagingBytes: number;
  readonly uploadsBytes: number;
}

/** Nobody who asks for other figures too waits longer for a slow disk. */
const WAIT_MS = 1_000;

/**
 * Bytes of the shared folders. While a look goes on no second one is begun.
 * @returns those of the last look that came to its end; undefined before the first one has
 */
export function createDiskFigures(
  staging: Pick<StagingArea, 'bytes'>,
  uploadsDir: string,
  clock: Clock,
): () => Promise<DiskFigures | undefined> {
  let known: DiskFigures | undefined;
  let looking: Promise<void> | undefined;
  async function look(): Promise<void> {
    try {
      const [stagingBytes, uploadsBytes] = await Promise.all([staging.bytes(), folderBytes(uploadsDir)]);
      known = { stagingBytes, uploadsBytes };
    } finally {
      looking = undefined;
    }
  }
  return async () => {
    looking ??= look();
    await answersWithin(clock, WAIT_MS, looking);
    return known;
  };
}
