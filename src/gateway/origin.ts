import type { IncomingMessage } from 'node:http';

/**
 * Whether a page of that origin may open a socket: one of the gateway's own, or an allowed one. Browsers send the
 * header always, so that a client without it is no browser and carries nobody's cookies or network position.
 */
export function isOriginAllowed(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
