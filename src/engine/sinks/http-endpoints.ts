import { Agent, request } from 'undici';
import type { Clock } from '../../core/clock.js';
import { SluiceError } from '../../core/errors.js';
import type { HttpConnection } from '../../core/http-connections.js';
import { retryAfterMs } from '../../core/retry-after.js';
import {
  AddressRefused,
  type AddressRules,
  checkedLookup,
  hostOf,
  isAddress,
  type Resolve,
} from '../../core/safe-address.js';
import type { HttpEndpoints, HttpRequest } from './sink.js';

export interface HttpEndpointsOptions {
  readonly connections: Readonly<Record<string, HttpConnection>>;
  readonly rules: AddressRules;
  readonly clock: Clock;
  /** Longest that a request may take until its answer is read. Default 30 s. */
  readonly timeoutMs?: number;
  /** How names become addresses; the system's way by default. */
  readonly resolve?: Resolve;
}

const TIMEOUT_MS = 30_000;
/** What is read of an answer; the rest costs the connection. */
const MOST_BODY_BYTES = 64 * 1024;
const TOLD_CHARACTERS = 300;
/** Answers of 4xx that say nothing against the request itself. */
const PASSING: ReadonlySet<number> = new Set([408, 429]);

/** Endpoints for HTTP sinks, behind the same guard as webhooks: no private addresses, no redirects, limits on all. */
export function createHttpEndpoints(options: HttpEndpointsOptions): HttpEndpoints & { close(): Promise<void> } {
  const { connections, rules, clock, timeoutMs = TIMEOUT_MS } = options;
  const lookup = checkedLookup(rules, options.resolve);
  const dispatcher = new Agent({ connect: { lookup } });

  function find(name: string): HttpConnection {
    const found = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (found !== undefined) return found;
    const known = Object.keys(connections).join(', ') || 'none';
    const message = `There is no HTTP connection ${name}; configured in SLUICE_HTTP_CONNECTIONS: ${known}.`;
    throw new SluiceError('UNKNOWN_CONNECTION', message, { path: ['connection'] });
  }

  const isRefused = (host: string) => isAddress(host) && !rules.allowsHost(host) && !rules.allowsAddress(host);

  return {
    async check(name) {
      const host = hostOf(new URL(find(name).url));
      if (isRefused(host)) throw notAllowed(name);
      if (isAddress(host)) return;
      const failure = await new Promise<unknown>((resolve) => lookup(host, { all: true }, resolve));
      // A name that cannot be resolved now may be when the rows come.
      if (failure instanceof AddressRefused) throw notAllowed(name);
    },

    async send(name, { path, method, contentType, key, body }, signal) {
      const connection = find(name);
      const url = urlOf(connection, path);
      if (isRefused(hostOf(url))) throw notAllowed(name);
      const headers = {
        'user-agent': 'sluice',
        ...connection.headers,
        'content-type': contentType,
        'idempotency-key': key,
      };
      const limit = new AbortController();
      const timer = clock.after(timeoutMs, () => limit.abort());
      try {
        const both = AbortSignal.any([signal, limit.signal]);
        const answer = await request(url, { method, headers, body, dispatcher, signal: both });
        const text = await beginningOf(answer.body);
        const after = retryAfterMs(one(answer.headers['retry-after']), one(answer.headers.date), clock.now());
        judge(name, answer.statusCode, withoutSecrets(text, connection), after);
      } catch (error) {
        if (error instanceof SluiceError) throw error;
        signal.throwIfAborted();
        if (error instanceof AddressRefused) throw notAllowed(name);
        const what = limit.signal.aborted
          ? `did not answer within ${timeoutMs} ms`
          : `could not be reached: ${codeOf(error)}`;
        throw new SluiceError('TARGET_UNAVAILABLE', `The HTTP connection ${name} ${what}.`);
      } finally {
        timer.cancel();
      }
    },

    close: () => dispatcher.destroy(),
  };
}

/** The path of a job comes below the path of its connection; a query of the connection stays. */
function urlOf({ url }: HttpConnection, path: HttpRequest['path']): URL {
  const full = new URL(url);
  if (path !== null) full.pathname = `${full.pathname.replace(/\/+$/, '')}/${path}`;
  return full;
}

const notAllowed = (name: string) =>
  new SluiceError(
    'TARGET_NOT_ALLOWED',
    `The HTTP connection ${name} leads to an address that is not public; SLUICE_HTTP_ALLOW has to name its host or network.`,
    { path: ['connection'] },
  );

/** What was answered counts, however the body goes on. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      // Leaving the loop closes the connection.
      if (bytes >= MOST_BODY_BYTES) break;
    }
  } catch {
    // The status is known.
  }
  return Buffer.concat(chunks).subarray(0, MOST_BODY_BYTES).toString();
}

/** An endpoint may repeat what it was sent. */
function withoutSecrets(text: string, { url, headers }: HttpConnection): string {
  const values = [...Object.values(headers), ...new URL(url).searchParams.values()];
  const secrets = values.flatMap((value) => [value, ...value.split(' ')]);
  return secrets.filter((secret) => secret.length >= 6).reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** @throws SluiceError unless the batch is acknowledged */
function judge(name: string, status: number, body: string, afterMs: number | null): void {
  if (status >= 200 && status < 300) return;
  // Control characters have no place in a sentence.
  const words = body.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  const told = words === '' ? '.' : `: ${words.slice(0, TOLD_CHARACTERS)}`;
  if (status >= 500 || PASSING.has(status)) {
    throw new SluiceError('TARGET_UNAVAILABLE', `The HTTP connection ${name} answered ${status}${told}`, {
      details: { status, ...(afterMs !== null && { retryAfterMs: afterMs }) },
    });
  }
  const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  throw new SluiceError(
    'TARGET_REFUSED',
    `The HTTP connection ${name} refused a batch: it answered ${status}${redirect}${told}`,
    { details: { status } },
  );
}

const one = (header: string | string[] | undefined) => (typeof header === 'string' ? header : header?.[0]);

/** The message of a network error can hold addresses of the inside: only its code is told. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
