import { z } from 'zod';
import { SluiceError, UserErrors } from '../src/core/errors.js';
import { FAILURE_CLASSES } from '../src/core/failure-class.js';
import { CATCH_UPS, CHANNELS, END_ACTIONS, ON_EMPTY, type Policy, ROLES } from './policy.js';
import { VERDICTS } from './verdict.js';

const MINUTE = 60_000;

const target = z.union(
  [z.strictObject({ role: z.enum(ROLES) }), z.strictObject({ agent: z.string().trim().min(1).max(100) })],
  'A target is either a role or an agent.',
);

const milliseconds = z.number('A number of milliseconds.');

const step = z.strictObject({
  ask: z.array(target),
  tell: z.array(target).default([]),
  waitMs: milliseconds,
  channels: z.array(z.enum(CHANNELS)).default(['WEBHOOK', 'EMAIL', 'FEED']),
  onEmpty: z.enum(ON_EMPTY).default('SKIP'),
  allowedVerdicts: z.array(z.enum(VERDICTS)).default([...VERDICTS]),
  quorum: z.int('A whole number.').default(1),
});

// Out of GraphQL come dates, out of files and the command line comes text.
const time = z.union(
  [z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))],
  'A time as in ISO 8601, with its zone.',
);

const policy = z.strictObject({
  id: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,99}$/,
      'Up to 100 of a to z, 0 to 9, `.`, `_` and `-`, beginning with a letter or digit.',
    ),
  failureClass: z.enum(FAILURE_CLASSES),
  pipeline: z
    .string()
    .trim()
    .min(1, 'Must not be empty.')
    .max(200, 'At most 200 characters.')
    // PostgreSQL's text takes everything but these.
    .refine((name) => !/\0|\p{Surrogate}/u.test(name), 'Must not contain NUL or half of a surrogate pair.')
    .nullable()
    .default(null),
  steps: z.array(step),
  repeat: z.int('A whole number.').default(0),
  ackTimeoutMs: milliseconds.default(30 * MINUTE),
  groupWindowMs: milliseconds.default(60 * MINUTE),
  maintenance: z.array(z.strictObject({ from: time, to: time })).default([]),
  autoResolve: z.boolean().default(true),
  endAction: z.enum(END_ACTIONS).default('HOLD'),
  catchUp: z.enum(CATCH_UPS).default('NEXT_STEP'),
});

/**
 * The shape of a draft, with what it leaves out filled in; durations are milliseconds. Whether it can work is for
 * `checkPolicy` to say.
 * @throws UserErrors POLICY_INVALID with paths
 */
export function parsePolicy(draft: unknown): Omit<Policy, 'version'> {
  const parsed = policy.safeParse(draft);
  if (parsed.success) return parsed.data;
  const [first, ...rest] = parsed.error.issues.map(
    (issue) =>
      new SluiceError('POLICY_INVALID', issue.message, {
        path: issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
      }),
  );
  throw first ? new UserErrors([first, ...rest]) : new Error('zod refused without an issue');
}
