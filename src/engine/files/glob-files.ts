import { glob } from 'tinyglobby';
import { SluiceError } from '../../core/errors.js';

/** Most files of one source; more are merged into larger ones first, or read by several jobs. */
const MAX_FILES = 10_000;
// Each further `*` in a segment multiplies the work of matching a long name; three keep it in the milliseconds.
const MAX_STARS = 3;

const OPTIONS = {
  // No `+(a|b)` and `{a,b}`: their expansion can be made to explode, and names with braces stay plain names.
  extglob: false,
  braceExpansion: false,
  expandDirectories: false,
  dot: false,
} as const;

/** Whether a path has `*`, `?` or `[`, so that it may name several files. */
export const isGlob = (path: string): boolean => /[*?[]/.test(path);

/**
 * Paths below `dir` that match, sorted, hidden ones left out. Links do not count below `**`.
 * @throws SluiceError INVALID_INPUT when the pattern is too costly or matches too much
 */
export async function globFiles(pattern: string, dir: string, uri: string): Promise<readonly string[]> {
  for (const segment of pattern.split('/')) {
    if (segment !== '**' && segment.split('*').length - 1 > MAX_STARS) {
      throw new SluiceError(
        'INVALID_INPUT',
        `${JSON.stringify(uri)} has more than ${MAX_STARS} "*" between two slashes.`,
      );
    }
  }
  const files = await glob(pattern.replaceAll(/[{}()!]/g, '\\$&'), {
    ...OPTIONS,
    cwd: dir,
    // A link is a file like any other (where it leads is checked later), but `**` could walk a whole disk through one.
    followSymbolicLinks: !pattern.includes('**'),
  });
  if (files.length > MAX_FILES) {
    throw new SluiceError(
      'INVALID_INPUT',
      `${JSON.stringify(uri)} matches ${files.length} files; at most ${MAX_FILES} are read by one job.`,
    );
  }
  return files.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
