import { type ErrorCode, type InputPath, SluiceError } from '../../core/errors.js';

/** One thing that keeps a load from starting. */
export interface Problem {
  readonly code: Extract<ErrorCode, 'TARGET_NOT_ALLOWED' | 'TARGET_INCOMPATIBLE' | 'UNKNOWN_COLUMN'>;
  readonly column: string | null;
  readonly message: string;
  /** The option at fault, when one is. */
  readonly path?: InputPath;
}

// Without the right to write, no change of columns helps: that is told first.
const GRAVEST_FIRST = ['TARGET_NOT_ALLOWED', 'UNKNOWN_COLUMN', 'TARGET_INCOMPATIBLE'] as const;

/** All problems as one error, so that they are mended in one go. @throws SluiceError when there are any */
export function throwProblems(problems: readonly Problem[]): void {
  const sorted = [...problems].sort((a, b) => GRAVEST_FIRST.indexOf(a.code) - GRAVEST_FIRST.indexOf(b.code));
  const [first] = sorted;
  if (!first) return;
  throw new SluiceError(first.code, sorted.map((problem) => problem.message).join(' '), {
    ...(first.path && { path: first.path }),
    details: { problems: sorted },
  });
}
