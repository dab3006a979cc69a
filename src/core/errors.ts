import type { FailureClass } from './failure-class.js';

/** How a code reaches a caller: a mendable mistake, an answer about access or state, or our own fault. */
type Audience = 'user' | 'access' | 'system';

interface CodeEntry {
  readonly failureClass: FailureClass;
  readonly audience: Audience;
  /** One sentence for docs/errors.md: when this happens and what to do. */
  readonly meaning: string;
}

const entry = (failureClass: FailureClass, audience: Audience, meaning: string): CodeEntry => ({
  failureClass,
  audience,
  meaning,
});

/** The one table of error codes. docs/errors.md is generated from it. */
export const ERROR_CODES = {
  // What a caller can mend: answered as `userErrors`, or as the error of a failed job.
  INVALID_INPUT: entry('INVALID_REQUEST', 'user', 'A value of the input is missing or out of its range; `path` names it.'),
  EXACTLY_ONE_MEMBER: entry('INVALID_REQUEST', 'user', 'An input that takes exactly one member has none or several set.'),
  UNKNOWN_OWNER: entry('INVALID_REQUEST', 'user', 'The owner is not in the org chart; use an id such as `layer-12`.'),
  IDEMPOTENCY_CONFLICT: entry('INVALID_REQUEST', 'user', 'The idempotency key was used before with another input; use a new key.'),
  FILE_NOT_FOUND: entry('INVALID_REQUEST', 'user', 'No file matches the URI; check the name and `SLUICE_DATA_DIRS`.'),
  FILE_NOT_ALLOWED: entry('INVALID_REQUEST', 'user', 'The path leaves the allowed data directories (`..`, an absolute path, or a link out).'),
  FILE_UNREADABLE: entry('INVALID_REQUEST', 'user', 'The file is empty, has no such format or encoding, or may not be read.'),
  UPLOAD_TOO_LARGE: entry('INVALID_REQUEST', 'user', 'The upload is larger than the server takes.'),
  UPLOADS_FULL: entry('INVALID_REQUEST', 'user', 'All uploads together would take more than `SLUICE_UPLOADS_MAX_MB`; remove old ones, or raise it.'),
  UNKNOWN_COLUMN: entry('INVALID_REQUEST', 'user', 'A step, expectation or sink names a column that does not exist at that point.'),
  DUPLICATE_COLUMN: entry('INVALID_REQUEST', 'user', 'Two columns would have the same name; rename or drop one.'),
  EXPRESSION_INVALID: entry('INVALID_REQUEST', 'user', 'The SQL expression does not parse or does not fit the columns it uses.'),
  EXPRESSION_NOT_ALLOWED: entry('INVALID_REQUEST', 'user', 'The SQL uses something that is not allowed there: a subquery, a table function, a file, several statements.'),
  UNKNOWN_CONNECTION: entry('INVALID_REQUEST', 'user', 'No connection of that name is configured in `SLUICE_CONNECTIONS`, or for HTTP in `SLUICE_HTTP_CONNECTIONS`.'),
  TARGET_NOT_FOUND: entry('INVALID_REQUEST', 'user', 'The target table does not exist; create it or set `createTable`.'),
  TARGET_NOT_ALLOWED: entry(
    'INVALID_REQUEST',
    'user',
    'The target is reserved (schema `sluice`, system catalogues), no plain table, or the role may not write to it; or an HTTP endpoint with a private address that `SLUICE_HTTP_ALLOW` does not name.',
  ),
  TARGET_INCOMPATIBLE: entry('PIPELINE_DECISION', 'user', 'The columns of the target do not fit the output of the pipeline; the message names them.'),
  JOB_NOT_FOUND: entry('INVALID_REQUEST', 'user', 'There is no job with that id.'),
  STATE_NOT_ALLOWED: entry('INVALID_REQUEST', 'user', 'The job is in a state in which that cannot be done; the message names it.'),
  CURSOR_INVALID: entry('INVALID_REQUEST', 'user', 'The cursor was not made by this query; start again without it.'),
  CURSOR_EXPIRED: entry('INVALID_REQUEST', 'user', 'Events after that `seq` are gone; start again from a snapshot with `afterSeq: 0`.'),
  // What a run of a job can end in.
  ERROR_BUDGET_EXCEEDED: entry('PIPELINE_DECISION', 'user', 'More rows were bad than the error budget of the job allows; nothing was published.'),
  EXPECTATION_FAILED: entry('PIPELINE_DECISION', 'user', 'An expectation failed beyond its threshold; nothing was published.'),
  CONSTRAINT_VIOLATION: entry('PIPELINE_DECISION', 'user', 'The target refused rows by one of its constraints; nothing of the staged load was published.'),
  TARGET_REFUSED: entry('PIPELINE_DECISION', 'user', 'The HTTP endpoint answered a batch with neither 2xx nor a status that passes; the message holds the status and what it says.'),
  RESOURCE_EXHAUSTED: entry('PIPELINE_DECISION', 'system', 'The job needs more memory or disk than it may use; use smaller input or raise the limit.'),
  DISK_FULL: entry('TRANSIENT', 'system', 'A disk of a worker or of the database is full; free space there. It is tried again.'),
  STAGING_FULL: entry('TRANSIENT', 'system', 'The parts of other jobs take as much as `SLUICE_STAGING_MAX_MB` allows; it is tried again when some are loaded, or raise it.'),
  JOB_TIMEOUT: entry('PIPELINE_DECISION', 'user', 'The job ran longer than its `timeout`.'),
  RECONCILIATION_FAILED: entry('DATA_CORRUPTION', 'system', 'Rows read, loaded, filtered, deduplicated and quarantined do not balance.'),
  SOURCE_CHANGED: entry('DATA_CORRUPTION', 'user', 'The source changed while it was being read.'),
  CANCELLED: entry('INVALID_REQUEST', 'user', 'The job was cancelled.'),
  LEASE_LOST: entry('TRANSIENT', 'system', 'Another worker has taken over this piece of work; its result is dropped here.'),
  SHUTTING_DOWN: entry('TRANSIENT', 'system', 'The process is stopping; the work goes on elsewhere.'),
  RETRIES_EXHAUSTED: entry('CRITICAL_FAILURE', 'system', 'A failure that looked temporary came back on every attempt.'),
  CHUNK_TIMEOUT: entry('TRANSIENT', 'system', 'A part was not loaded within `chunkTimeout`: its target may be locked by somebody. It is tried again.'),
  TARGET_UNAVAILABLE: entry(
    'TRANSIENT',
    'system',
    'The HTTP endpoint could not be reached, did not answer in time, or answered 408, 429 or 5xx; it is tried again, after `Retry-After` if it says so.',
  ),
  STAGED_ROWS_LOST: entry('TRANSIENT', 'system', 'The PostgreSQL server crashed and has lost the rows that were loaded aside; the job loads them again.'),
  POISON: entry('CRITICAL_FAILURE', 'system', 'The job took every worker down that had it, three in a row without progress; mend the cause, then `retryJob` or `redriveDeadLetters`.'),
  ROLLBACK_NOT_POSSIBLE: entry(
    'INVALID_REQUEST',
    'user',
    'Rows of the job are in its target, and nothing tells them from others, or it was cancelled before; cancel without `rollback`, and load with `staged: true` or, for APPEND, with `loadIdColumn` next time.',
  ),
  NOTHING_TO_REPLAY: entry(
    'INVALID_REQUEST',
    'user',
    'No quarantined row of the job can be replayed now: none fits the filter, or those that do have no values, are being replayed, or are done with.',
  ),
  ROW_NOT_FOUND: entry('INVALID_REQUEST', 'user', 'The job has no quarantined row with that id; it may be older than `SLUICE_QUARANTINE_DAYS`.'),
  // Escalations.
  ESCALATION_NOT_FOUND: entry('INVALID_REQUEST', 'user', 'There is no escalation with that id.'),
  ESCALATION_CLOSED: entry('INVALID_REQUEST', 'user', 'The escalation is resolved, or its verdict is being carried out; reopen it first if it is wrong.'),
  JOBS_HELD: entry('INVALID_REQUEST', 'user', 'Jobs still wait for the decision of the escalation: submit a verdict (ABORT ends them, RETRY begins them anew), or cancel them.'),
  CONFLICT: entry('INVALID_REQUEST', 'user', 'Somebody has changed it since the version that `expectedVersion` names; `conflict` holds what it is now.'),
  NOT_ASKED: entry('INVALID_REQUEST', 'user', 'Another agent holds the claim, or the claim has run out; claim it again.'),
  VERDICT_NOT_ALLOWED: entry('INVALID_REQUEST', 'user', 'The step of the policy does not allow this verdict, or it has failed there twice; the message names those that are left.'),
  UNKNOWN_AGENT: entry('INVALID_REQUEST', 'user', 'The agent is not in the org chart; see the query `agents`.'),
  POLICY_INVALID: entry('INVALID_REQUEST', 'user', 'The escalation policy cannot work; `path` names the step and the message says why.'),
  CONTACT_INVALID: entry('INVALID_REQUEST', 'user', 'The address of the contact cannot be used: no URL or email address, or one that the server may not call.'),
  OBJECTIVE_MISSED: entry('QUEUE_PERFORMANCE', 'system', 'A figure of the service stays out of its bounds; the message names it with its value and objective.'),
  DEAD_LETTERS_SPIKE: entry('CRITICAL_FAILURE', 'system', 'Many jobs died within a short time; `deadLetterGroups` says of what.'),
  REPORTED: entry('PIPELINE_DECISION', 'user', 'Somebody opened the escalation by hand.'),
  // Access and limits.
  UNAUTHENTICATED: entry('INVALID_REQUEST', 'access', 'A valid bearer token is needed: `Authorization: Bearer <token>`.'),
  FORBIDDEN: entry('INVALID_REQUEST', 'access', 'The token may not do that.'),
  RATE_LIMITED: entry('INVALID_REQUEST', 'access', 'Too many requests; wait as long as the answer says.'),
  LIMIT_EXCEEDED: entry('INVALID_REQUEST', 'access', 'The request is larger, deeper or has more operations than the server takes.'),
  GRAPHQL_PARSE_FAILED: entry('INVALID_REQUEST', 'access', 'The GraphQL document has a syntax error.'),
  GRAPHQL_VALIDATION_FAILED: entry('INVALID_REQUEST', 'access', 'The GraphQL document does not fit the schema.'),
  BAD_USER_INPUT: entry('INVALID_REQUEST', 'access', 'A GraphQL variable does not fit its type.'),
  OPERATION_RESOLUTION_FAILURE: entry('INVALID_REQUEST', 'access', 'The document holds no operation of that name, or several and no name was given.'),
  BAD_REQUEST: entry('INVALID_REQUEST', 'access', 'The HTTP request is no GraphQL request; the message says why.'),
  // The process and its surroundings.
  CONFIG_INVALID: entry('INVALID_REQUEST', 'user', 'A setting has a wrong value; the message names the variable.'),
  DATABASE_UNREACHABLE: entry('TRANSIENT', 'system', 'PostgreSQL does not answer; check `DATABASE_URL` and the server.'),
  DATABASE_TOO_OLD: entry('CRITICAL_FAILURE', 'user', 'PostgreSQL 14 or newer is needed.'),
  DATABASE_TOO_NEW: entry('CRITICAL_FAILURE', 'user', 'The database was migrated by a newer Sluice; upgrade this one.'),
  MIGRATION_CHANGED: entry('CRITICAL_FAILURE', 'system', 'A migration that has run differs from the one in the code.'),
  HOME_LOCKED: entry('INVALID_REQUEST', 'user', 'Another Sluice process uses the same `SLUICE_HOME`.'),
  QUEUE_UNREACHABLE: entry('TRANSIENT', 'system', 'Redis does not answer, and work waits in PostgreSQL until it does; or it turns Sluice away: check `REDIS_URL`.'),
  UNAVAILABLE: entry('TRANSIENT', 'system', 'The service cannot answer now; try again.'),
  INTERNAL: entry('CRITICAL_FAILURE', 'system', 'Something unexpected happened; the log holds the details under the reference id.'),
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Where in the input the mistake is, e.g. `['steps', 0, 'cast', 'columns', 1, 'name']`. */
export type InputPath = readonly (string | number)[];

/** Where work passes from one part to another. */
export const HANDOVERS = ['hook', 'webhook', 'callback', 'workflow', 'schedule', 'upstream', 'downstream'] as const;

export interface SluiceErrorOptions {
  readonly path?: InputPath;
  /** Structured facts for evidence bundles and logs; must be JSON and hold no secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The handover at which it failed, if it did at one. Kept as `details.origin`, which decides who is asked about it. */
  readonly origin?: (typeof HANDOVERS)[number];
  readonly cause?: unknown;
  /** Overrides the class of the code, e.g. for a driver error that is known to pass. */
  readonly failureClass?: FailureClass;
}

/** The only error type that crosses a boundary. `message` is a sentence a user may read. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  readonly failureClass: FailureClass;
  readonly path: InputPath | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.failureClass = options.failureClass ?? ERROR_CODES[code].failureClass;
    this.path = options.path;
    this.details = options.origin === undefined ? options.details : { ...options.details, origin: options.origin };
  }

  /** True when the caller can mend it, so that it belongs into `userErrors`. */
  get isUserError(): boolean {
    return ERROR_CODES[this.code].audience === 'user';
  }

  /** The same mistake seen from one level further out: `path` gets a prefix. */
  under(...prefix: InputPath): SluiceError {
    return new SluiceError(this.code, this.message, {
      path: [...prefix, ...(this.path ?? [])],
      failureClass: this.failureClass,
      ...(this.details && { details: this.details }),
      cause: this.cause,
    });
  }
}

/** Several mistakes of one input, found together so that a caller mends them in one go. */
export class UserErrors extends Error {
  override readonly name = 'UserErrors';
  constructor(readonly errors: readonly [SluiceError, ...SluiceError[]]) {
    super(errors.map((e) => e.message).join(' '));
  }
}

/** Any thrown value as a SluiceError; what we do not know is `INTERNAL` and keeps its cause for the log. */
export function toSluiceError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  if (thrown instanceof UserErrors) return thrown.errors[0];
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new SluiceError('INTERNAL', 'Something unexpected happened.', { cause });
}
