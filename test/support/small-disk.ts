import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Engine } from '../../src/engine/engine.js';

const run = promisify(execFile);

export interface SmallDisk {
  readonly folder: string;
  /** The engine on this disk. Where nobody may mount one, it fails as on a full disk until there is room. */
  engineOn(engine: Engine): Engine;
  makeRoom(): Promise<void>;
  remove(): Promise<void>;
}

/** A disk of 4 MB: a real one where the user may mount it, else one that is played by errors of the file system. */
export async function smallDisk(): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-small-disk-'));
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]).then(
    () => true,
    () => false,
  );
  // However the test ends, no mount is left that nobody could remove the folder of.
  const unmount = () => void spawnSync('umount', ['-l', folder]);
  if (mounted) process.once('exit', unmount);
  let isFull = !mounted;
  const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  return {
    folder,
    engineOn: (engine) => ({
      ...engine,
      async evaluate(request) {
        if (isFull) throw full();
        return engine.evaluate(request);
      },
    }),
    async makeRoom() {
      isFull = false;
      if (mounted) await run('mount', ['-o', 'remount,size=256m', folder]);
    },
    async remove() {
      if (mounted) await run('umount', ['-l', folder]);
      process.off('exit', unmount);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
