import { createReadStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createClient } from 'graphql-ws';
import { stringify } from 'lossless-json';
import { WebSocket } from 'ws';
import {
  type GraphqlErrorShape,
  notAGateway,
  refused,
  subscriptionFailure,
  unauthorised,
  unreachable,
} from './api-failure.js';
import { ClientFailure, EXIT } from './client-failure.js';
import type { Operation } from './operations.js';

/** The gateway as a client sees it: GraphQL and uploads, nothing else. */
export interface ApiClient {
  /** @throws ClientFailure when the gateway is unreachable, refuses the token, or answers with GraphQL errors */
  request<Data, Variables extends object>(operation: Operation<Data, Variables>, variables: Variables): Promise<Data>;
  /**
   * One subscription over a connection of its own; ends with the stream, or quietly when the signal aborts.
   * @throws ClientFailure as above; ConnectionLost when a new connection may go on
   */
  subscribe<Data, Variables extends object>(
    operation: Operation<Data, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): AsyncGenerator<Data>;
  /** Streams a file to the gateway. @returns the `upload:` URI that a source may name */
  upload(path: string, name: string): Promise<string>;
  /** Streams what a GET answers into `to`, as fast as that takes it, and ends it unless it is a standard stream. */
  download(path: string, to: Writable): Promise<void>;
}

interface Place {
  /** Base URL of the gateway. */
  readonly url: string;
  readonly token: string | undefined;
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphqlErrorShape[];
  readonly uri?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
}

export function createApiClient({ url, token }: Place): ApiClient {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  /** Sends a request and reads its JSON. */
  const send = async (path: string, init: RequestInit): Promise<{ status: number; answer: Answer }> => {
    const response = await fetch(new URL(path, base), {
      ...init,
      headers: { ...authorization, ...init.headers },
    }).catch(() => {
      throw unreachable(url);
    });
    if (response.status === 401 || response.status === 403) throw unauthorised(url);
    const answer: unknown = await response.json().catch(() => undefined);
    if (typeof answer !== 'object' || answer === null) throw notAGateway(url, response.status);
    return { status: response.status, answer };
  };

  return {
    async request<Data, Variables extends object>(
      operation: Operation<Data, Variables>,
      variables: Variables,
    ): Promise<Data> {
      const { status, answer } = await send('graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        // Whole numbers of a spec beyond 2^53 are bigints, which JSON.stringify refuses.
        body: stringify({ query: operation.text, variables }) ?? '',
      });
      if (answer.errors !== undefined && answer.errors.length > 0) throw refused(url, answer.errors);
      if (answer.data === undefined || answer.data === null) throw notAGateway(url, status);
      // Data is the type of the document's own fields, and the gateway's schema answers them in that shape.
      return answer.data as Data;
    },

    async *subscribe<Data, Variables extends object>(
      operation: Operation<Data, Variables>,
      variables: Variables,
      signal: AbortSignal,
    ) {
      const socketUrl = new URL('graphql', base);
      socketUrl.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
      const client = createClient({
        url: socketUrl.href,
        webSocketImpl: WebSocket,
        connectionParams: authorization,
        retryAttempts: 0,
        // A link that dies without a word (sleep, a forgotten NAT entry) is noticed by the pong that does not come.
        keepAlive: 10_000,
      });
      const results = client.iterate<Data>({
        query: operation.text,
        variables: Object.fromEntries(Object.entries(variables)),
      });
      const stop = () => void results.return?.();
      signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const { data, errors } of results) {
          if (errors !== undefined && errors.length > 0) throw refused(url, errors);
          if (data !== undefined && data !== null) yield data;
        }
      } catch (thrown) {
        if (!signal.aborted) throw subscriptionFailure(url, thrown);
      } finally {
        signal.removeEventListener('abort', stop);
        await client.dispose();
      }
    },

    async download(path, to) {
      const response = await fetch(new URL(path, base), { headers: authorization }).catch(() => {
        throw unreachable(url);
      });
      if (response.status === 401 || response.status === 403) throw unauthorised(url);
      if (response.status !== 200 || response.body === null) {
        // Whatever it is, its members are looked at one by one.
        const answer = (await response.json().catch(() => ({}))) as Answer;
        if (typeof answer.code !== 'string' || typeof answer.message !== 'string')
          throw notAGateway(url, response.status);
        throw new ClientFailure(EXIT.failed, [{ code: answer.code, message: answer.message }]);
      }
      await pipeline(Readable.fromWeb(response.body), to, { end: to !== process.stdout }).catch((error: unknown) => {
        throw to.errored ? error : unreachable(url);
      });
    },

    async upload(path, name) {
      const { status, answer } = await send(`uploads/${encodeURIComponent(name)}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream' },
        body: Readable.toWeb(createReadStream(path)),
        duplex: 'half',
      });
      if (status < 300 && typeof answer.uri === 'string') return answer.uri;
      const message =
        typeof answer.message === 'string' ? answer.message : `The upload was refused with status ${status}.`;
      const code = typeof answer.code === 'string' ? answer.code : 'UPLOAD_REFUSED';
      throw new ClientFailure(EXIT.failed, [{ code, message }]);
    },
  };
}
