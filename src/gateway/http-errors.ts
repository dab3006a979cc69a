import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, type ErrorCode, SluiceError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import type { Log } from '../core/log.js';

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  JOB_NOT_FOUND: 404,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  LIMIT_EXCEEDED: 413,
  UPLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  UPLOADS_FULL: 507,
  DISK_FULL: 507,
};

function statusOf(error: SluiceError): number {
  const status = STATUS[error.code];
  if (status) return status;
  if (ERROR_CODES[error.code].audience !== 'system') return 400;
  return error.failureClass === 'TRANSIENT' ? 503 : 500;
}

/** Answers an error as JSON: in the shape of GraphQL at /graphql, as `{ code, message }` elsewhere. */
function answer(request: FastifyRequest, reply: FastifyReply, status: number, code: ErrorCode, message: string) {
  const body =
    request.routeOptions.url === '/graphql' ? { errors: [{ message, extensions: { code } }] } : { code, message };
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="sluice"');
  return reply.code(status).header('cache-control', 'no-store').send(body);
}

/** What Fastify itself refuses: wrong media types, bodies too large, JSON that does not parse. */
function ofFastify(error: unknown): { status: number; message: string } | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  return error.statusCode < 500 ? { status: error.statusCode, message: error.message } : undefined;
}

/** No answer carries a stack trace or a message that was not written for clients. */
export function installErrorHandlers(server: FastifyInstance, log: Log): void {
  server.setErrorHandler((error, request, reply) => {
    if (error instanceof SluiceError && error.code !== 'INTERNAL')
      return answer(request, reply, statusOf(error), error.code, error.message);
    const refused = ofFastify(error);
    if (refused) {
      const code = refused.status === 413 ? 'LIMIT_EXCEEDED' : 'BAD_REQUEST';
      return answer(request, reply, refused.status, code, refused.message);
    }
    const reference = newId();
    log.error({ reference, err: error, route: request.routeOptions.url }, 'a request failed');
    const message = `Something unexpected happened. The log holds the details under reference ${reference}.`;
    return answer(request, reply, 500, 'INTERNAL', message);
  });
  server.setNotFoundHandler((request, reply) => answer(request, reply, 404, 'BAD_REQUEST', 'There is nothing here.'));
}
