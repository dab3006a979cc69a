import { readFile, writeFile } from 'node:fs/promises';

/** A file that is made from the code, committed, and diffed by `npm run check`. */
export interface GeneratedFile {
  /** From the root of the project. */
  readonly path: string;
  generate(): string | Promise<string>;
}

const at = (path: string) => new URL(`../${path}`, import.meta.url);

function firstDifference(committed: string, wanted: string): string {
  const before = committed.split('\n');
  const after = wanted.split('\n');
  const line = after.findIndex((text, index) => text !== before[index]);
  if (line === -1) return `it has ${before.length - after.length} lines too many`;
  return `line ${line + 1} is ${JSON.stringify(before[line] ?? '')} and should be ${JSON.stringify(after[line])}`;
}

/**
 * Writes the files, or with `--check` compares them with the committed ones.
 *
 * @returns whether all is well, for the exit code
 */
export async function writeOrCheck(files: readonly GeneratedFile[], args: readonly string[]): Promise<boolean> {
  let isFresh = true;
  for (const { path, generate } of files) {
    const wanted = await generate();
    const committed = await readFile(at(path), 'utf8').catch(() => '');
    if (committed === wanted) continue;
    if (args.includes('--check')) {
      isFresh = false;
      console.error(`${path} is stale: ${firstDifference(committed, wanted)}. Run npm run generate and commit it.`);
    } else {
      await writeFile(at(path), wanted);
      console.error(`wrote ${path}`);
    }
  }
  return isFresh;
}
