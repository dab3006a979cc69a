import { diskFull, isDiskFull } from '../core/disk-full.js';
import { type ErrorCode, SluiceError, toSluiceError } from '../core/errors.js';
import type { JobError } from './job.js';

/** What a SQLSTATE means for a job; the first prefix that fits decides. "Appendix A" of the PostgreSQL documentation. */
const SQLSTATES: readonly (readonly [prefix: string, code: ErrorCode, message: string])[] = [
  ['08', 'UNAVAILABLE', 'The connection to the database was lost.'],
  ['25006', 'UNAVAILABLE', 'The database takes no writes at the moment.'],
  ['40', 'UNAVAILABLE', 'The database gave the transaction up in favour of another one.'],
  ['53100', 'DISK_FULL', 'The disk of the database is full: free space there. It is tried again.'],
  ['53', 'UNAVAILABLE', 'The database is out of a resource.'],
  ['55P03', 'UNAVAILABLE', 'The target is locked by somebody else.'],
  ['57', 'UNAVAILABLE', 'The database ended the connection or the statement.'],
  ['58', 'UNAVAILABLE', 'The database reports a system error.'],
  ['23', 'CONSTRAINT_VIOLATION', 'The target refused a row by one of its constraints.'],
  ['22', 'TARGET_INCOMPATIBLE', 'The target refused a value.'],
  ['42501', 'TARGET_NOT_ALLOWED', 'The role of the connection may not write to the target.'],
  ['42P01', 'TARGET_NOT_FOUND', 'The target is gone.'],
  ['3F', 'TARGET_NOT_FOUND', 'The schema of the target is gone.'],
  ['42', 'TARGET_INCOMPATIBLE', 'The target has changed while the job ran.'],
  ['P0001', 'CONSTRAINT_VIOLATION', 'A trigger of the target refused a row.'],
  ['44', 'CONSTRAINT_VIOLATION', 'The target refused a row by its check option.'],
];

/** Errors of the operating system, by `code`. */
const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOMEM: 'RESOURCE_EXHAUSTED',
  ECONNRESET: 'UNAVAILABLE',
  ECONNREFUSED: 'UNAVAILABLE',
  ECONNABORTED: 'UNAVAILABLE',
  EPIPE: 'UNAVAILABLE',
  ETIMEDOUT: 'UNAVAILABLE',
  EHOSTUNREACH: 'UNAVAILABLE',
  ENETUNREACH: 'UNAVAILABLE',
  ENOTFOUND: 'UNAVAILABLE',
  EAI_AGAIN: 'UNAVAILABLE',
  EMFILE: 'UNAVAILABLE',
  ENFILE: 'UNAVAILABLE',
};
const OUT_OF_FILES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE']);

// pg gives these no code.
const LOST_CONNECTION =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

/** SQLSTATEs with which a server ends a connection, or refuses one for a while. */
const ENDED = /^(08...|57P0[123])$/;

const FACTS = ['table', 'column', 'constraint', 'detail', 'where'] as const;

/** What the server told beside its message; holds values of the offending row, never more than a little of them. */
function factsOf(error: object): Readonly<Record<string, string>> {
  const told = new Map<string, unknown>(Object.entries(error));
  return Object.fromEntries(
    FACTS.flatMap((fact) => {
      const value = told.get(fact);
      return typeof value === 'string' ? [[fact, value.slice(0, 500)]] : [];
    }),
  );
}

/** Any error of a run in our own terms: what is known to pass by itself is TRANSIENT. */
export function failureOf(thrown: unknown): SluiceError {
  if (!(thrown instanceof Error) || thrown instanceof SluiceError) return toSluiceError(thrown);
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  if (isDiskFull(thrown) && !/^[0-9A-Z]{5}$/.test(code)) return diskFull(thrown);
  const systemCode = SYSTEM_CODES[code];
  if (systemCode) return new SluiceError(systemCode, `${thrown.message || code}.`, { cause: thrown });
  if (LOST_CONNECTION.test(thrown.message)) {
    return new SluiceError('UNAVAILABLE', 'The connection to the database was lost.', { cause: thrown });
  }
  const known = /^[0-9A-Z]{5}$/.test(code) ? SQLSTATES.find(([prefix]) => code.startsWith(prefix)) : undefined;
  if (!known) return toSluiceError(thrown);
  const [, ours, message] = known;
  return new SluiceError(ours, `${message} PostgreSQL says: ${thrown.message}.`, {
    cause: thrown,
    details: { sqlState: code, ...factsOf(thrown) },
  });
}

/** Why a run ends whose process is told to stop: nothing is used up by it. */
export const shuttingDown = (): SluiceError =>
  new SluiceError('SHUTTING_DOWN', 'The process is stopping; the work goes on elsewhere.');

/** Whether a connection was lost: what was on its way may have been done or not, and nobody is to blame for it. */
export function isConnectionLost({ code, cause }: SluiceError): boolean {
  if (code !== 'UNAVAILABLE' || !(cause instanceof Error)) return false;
  const known = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  if (known === undefined) return LOST_CONNECTION.test(cause.message);
  return ENDED.test(known) || (SYSTEM_CODES[known] === 'UNAVAILABLE' && !OUT_OF_FILES.has(known));
}

/** How a failure is stored on the job. The report of the expectations has a table of its own. */
export function jobErrorOf(error: SluiceError): JobError {
  const { report: _, ...details } = error.details ?? {};
  return {
    code: error.code,
    failureClass: error.failureClass,
    message: error.message,
    ...(error.path && { path: error.path }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}
