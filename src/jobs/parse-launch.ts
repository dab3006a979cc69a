import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SluiceError, UserErrors } from '../core/errors.js';
import type { LaunchRequest } from './job-service.js';

// PostgreSQL's text takes everything but NUL.
const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, 'Must not be empty.')
    .max(max, `At most ${max} characters.`)
    .refine((value) => !/\0|\p{Surrogate}/u.test(value), 'Must not contain NUL or half of a surrogate pair.');

const launch = z.object({
  name: text(200),
  owner: text(100),
  idempotencyKey: text(200).nullable(),
  priority: z.int().min(-1_000, 'From -1000 to 1000.').max(1_000, 'From -1000 to 1000.'),
});

/** What every kind of launch has in common, checked. @throws UserErrors with paths in the input */
export function parseLaunch(request: LaunchRequest): z.infer<typeof launch> {
  const parsed = launch.safeParse(request);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(
    (issue) =>
      new SluiceError('INVALID_INPUT', issue.message, {
        path: issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
      }),
  );
  const [first, ...rest] = errors;
  throw first ? new UserErrors([first, ...rest]) : new Error('zod refused without an issue');
}

/** Equal for launches that ask for the same, whatever the order of members. */
export function specHashOf(spec: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(spec)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
