import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ERROR_CODES, type ErrorCode, SluiceError, UserErrors } from '../core/errors.js';
import { newId } from '../core/ids.js';
import type { Log } from '../core/log.js';

/** Turns any error into what a client may see; `libraryCode` is the code that Apollo has given it. */
export type FormatError = (error: unknown, libraryCode?: unknown) => GraphQLFormattedError;

/** What the libraries say of a request that is wrong in itself; none of it comes from our code or data. */
const REQUEST_CODES: ReadonlySet<unknown> = new Set<ErrorCode>([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
  'LIMIT_EXCEEDED',
]);

/** The error that was thrown, below what GraphQL has wrapped around it. */
function thrownError(error: unknown): unknown {
  const inner = error instanceof GraphQLError ? error.originalError : undefined;
  return inner ? thrownError(inner) : error;
}

/** An error of ours whose sentence a client may read; undefined for what must be hidden. */
function known(thrown: unknown): SluiceError | undefined {
  const error = thrown instanceof UserErrors ? thrown.errors[0] : thrown;
  return error instanceof SluiceError && error.code !== 'INTERNAL' ? error : undefined;
}

/** What a driver says names hosts and tables: it goes to the log. */
export const unavailable = (cause?: unknown): SluiceError =>
  new SluiceError('UNAVAILABLE', 'A server that this needs does not answer at the moment; try again.', { cause });

/**
 * @param isPassing whether an error that is not ours passes by itself
 * @returns a formatter that keeps messages that are meant for clients, and masks every other one: the client gets a
 * reference id, and the log gets the error under the same id
 */
export function createErrorFormatter(log: Log, isPassing: (thrown: unknown) => boolean = () => false): FormatError {
  return (error, libraryCode) => {
    const graphqlError = error instanceof GraphQLError ? error : new GraphQLError(String(error));
    const { locations, path } = graphqlError.toJSON();
    const place = { ...(locations && { locations }), ...(path && { path }) };
    const thrown = thrownError(error);
    const ours = known(thrown) ?? (isPassing(thrown) ? unavailable(thrown) : undefined);
    if (ours) {
      if (ERROR_CODES[ours.code].audience === 'system')
        log.warn({ code: ours.code, err: ours.cause ?? ours }, ours.message);
      return {
        message: ours.message,
        ...place,
        extensions: { code: ours.code, class: ours.failureClass, ...(ours.path && { path: ours.path.map(String) }) },
      };
    }
    const code = requestCode(graphqlError, thrown, libraryCode);
    if (code) return { message: graphqlError.message, ...place, extensions: { code } };
    const reference = newId();
    log.error(
      { reference, err: thrown instanceof SluiceError ? (thrown.cause ?? thrown) : thrown },
      'an error was masked',
    );
    const message = `Something unexpected happened. The log holds the details under reference ${reference}.`;
    return { message, ...place, extensions: { code: 'INTERNAL', reference } };
  };
}

function requestCode(error: GraphQLError, thrown: unknown, libraryCode: unknown): string | undefined {
  // Our own rule's code comes before the one that Apollo gives whatever a rule reports.
  const codes = [
    thrown instanceof GraphQLError ? thrown.extensions.code : undefined,
    libraryCode,
    error.extensions.code,
  ];
  const code = codes.find((candidate) => typeof candidate === 'string' && REQUEST_CODES.has(candidate));
  if (typeof code === 'string') return code;
  // Without a path nothing was executed yet: graphql-js itself refuses the variables.
  return thrown instanceof GraphQLError && error.path === undefined ? 'BAD_USER_INPUT' : undefined;
}
