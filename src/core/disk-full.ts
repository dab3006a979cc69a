import { SluiceError } from './errors.js';

/** EDQUOT: the quota of the user on that disk is used up. */
const CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);
/** How DuckDB passes on what the system says. */
const WORDS = /no space left on device|disk quota exceeded/i;

/** Whether the operating system had no room for what was to be written. */
export const isDiskFull = (thrown: unknown): boolean =>
  thrown instanceof Error && (('code' in thrown && CODES.has(thrown.code)) || WORDS.test(thrown.message));

export const diskFull = (cause: unknown): SluiceError =>
  new SluiceError(
    'DISK_FULL',
    'A disk is full: free space where SLUICE_HOME and the target lie. Nothing half-written is left, and it is tried again.',
    { cause },
  );
