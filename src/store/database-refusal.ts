import pg from 'pg';
import { SluiceError } from '../core/errors.js';

/** host:port/database of a connection URL; never the user or the password. */
export function describeDatabase(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
  } catch {
    return 'the database';
  }
}

// SQLSTATEs of a refused connection (PostgreSQL documentation, appendix A) and what to check.
const REFUSED: Record<string, string> = {
  '28P01': 'the password is wrong',
  '28000': 'the user may not connect (see pg_hba.conf on the server)',
  '3D000': 'the database does not exist: create it with createdb',
  '53300': 'the server has no connection left (max_connections)',
  '57P03': 'the server is starting up or shutting down: try again in a moment',
  '42501': 'the user may not create the schema sluice: grant CREATE on the database',
};

// Codes of the socket, and pg's own messages, which carry none.
const UNREACHABLE: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there: is the server running?',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ETIMEDOUT: 'the host does not answer',
  ECONNRESET: 'the connection was closed by the other side',
};

function reasonOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  if (error instanceof pg.DatabaseError && error.code) return REFUSED[error.code];
  if ('code' in error && typeof error.code === 'string' && UNREACHABLE[error.code]) return UNREACHABLE[error.code];
  if (/timeout/i.test(error.message)) return 'the host does not answer within 10 s';
  if (/Connection terminated/i.test(error.message)) return 'the connection was closed by the other side';
  if (/SSL/i.test(error.message)) return `TLS: ${error.message}`;
  if (/password must be a string|no password/i.test(error.message)) return 'a password is needed';
  return undefined;
}

/** A failure to connect as one sentence that says what to check; anything else is returned as it is. */
export function refusalOf(error: unknown, url: string): unknown {
  const reason = reasonOf(error);
  if (reason === undefined) return error;
  return new SluiceError(
    'DATABASE_UNREACHABLE',
    `PostgreSQL at ${describeDatabase(url)} cannot be used: ${reason}; check DATABASE_URL.`,
    { cause: error },
  );
}
