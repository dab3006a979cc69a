import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the files in the folder and below; 0 when it does not exist. What goes away meanwhile is not counted. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  // One after the other: a folder may hold many thousands of files.
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await folderBytes(path);
    else if (entry.isFile()) bytes += (await lstat(path).catch(() => null))?.size ?? 0;
  }
  return bytes;
}
