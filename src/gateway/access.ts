import type { FastifyInstance } from 'fastify';
import { SluiceError } from '../core/errors.js';
import { type Authenticate, bearerToken, type Session } from './auth.js';
import { START_PAGE } from './start-page.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every request but those for health. */
    session: Session | null;
  }
}

const OPEN_ROUTES: ReadonlySet<unknown> = new Set(['/health/live', '/health/ready']);

/** The session of a request behind the token. */
export function sessionOf(request: { readonly session: Session | null }): Session {
  if (request.session) return request.session;
  throw new SluiceError('UNAUTHENTICATED', 'A valid bearer token is needed: `Authorization: Bearer <token>`.');
}

/** Every request needs the bearer token, unknown paths included; only health is open. */
export function requireToken(server: FastifyInstance, authenticate: Authenticate): void {
  server.decorateRequest('session', null);
  server.addHook('onRequest', async (request, reply) => {
    if (OPEN_ROUTES.has(request.routeOptions.url)) return;
    request.session = authenticate(bearerToken(request.headers.authorization)) ?? null;
    if (request.session) return;
    // Browsers show this page to people who open the address; it says how to get in.
    if (request.routeOptions.url === '/')
      return reply
        .code(401)
        .header('www-authenticate', 'Bearer realm="sluice"')
        .type('text/html; charset=utf-8')
        .send(START_PAGE);
    sessionOf(request);
  });
}
