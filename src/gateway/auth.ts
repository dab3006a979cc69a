import { createHash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../schema/context.js';

/** Who a token stands for. */
export interface Session {
  readonly caller: Caller;
  /** When the token ends, in milliseconds since 1970; null when it does not. A socket is closed then. */
  readonly expiresAt: number | null;
}

/** The session of a bearer token, or undefined when it is not valid. */
export type Authenticate = (token: string | undefined) => Session | undefined;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Knows the one administrator's token. */
export function adminAuthentication(adminToken: string): Authenticate {
  const expected = digest(adminToken);
  const session: Session = { caller: { tenant: 'default', name: 'admin' }, expiresAt: null };
  // Digests have one length, so that comparing takes the same time whatever was sent.
  return (token) => (token && timingSafeEqual(digest(token), expected) ? session : undefined);
}

/** The token of an `Authorization` value; the scheme is case-insensitive (RFC 9110, section 11.1). */
export function bearerToken(authorization: unknown): string | undefined {
  if (typeof authorization !== 'string') return undefined;
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/** The token in a `connection_init` payload: `{ authorization: "Bearer ..." }`, or `{ token: "..." }`. */
export function tokenOfPayload(payload: Readonly<Record<string, unknown>> | undefined): string | undefined {
  for (const [key, value] of Object.entries(payload ?? {})) {
    if (key.toLowerCase() === 'authorization') return bearerToken(value);
    if (key.toLowerCase() === 'token' && typeof value === 'string') return value;
  }
  return undefined;
}
