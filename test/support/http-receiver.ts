import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/core/clock.js';
import { createAddressRules } from '../../src/core/safe-address.js';
import { createHttpEndpoints, type HttpEndpointsOptions } from '../../src/engine/sinks/http-endpoints.js';

export interface ReceivedBatch {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly key: string;
  readonly body: string;
}

/** Writes an answer; 204 by default. An answer that is not ended keeps the caller waiting. */
export type BatchAnswer = (batch: ReceivedBatch, response: ServerResponse) => void;

export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): BatchAnswer =>
  (_batch, response) => {
    response.writeHead(status, headers).end(body);
  };

/** An endpoint of this machine that takes each key once, as a receiver should. */
export async function startHttpReceiver() {
  const calls: ReceivedBatch[] = [];
  const taken = new Map<string, string>();
  let answer: BatchAnswer = answering(204);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { headers, method = '', url: path = '' } = request;
    const body = Buffer.concat(chunks).toString();
    const batch = { method, path, headers, key: String(headers['idempotency-key']), body };
    calls.push(batch);
    answer(batch, response);
    if (response.statusCode < 300 && response.writableEnded) taken.set(batch.key, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/api/`;
  return {
    url,
    /** Every request, in the order in which they arrived. */
    calls,
    keys: () => calls.map(({ key }) => key),
    /** Rows of the batches that were acknowledged, each key once. */
    rows: () => [...taken.values()].flatMap((body) => JSON.parse(body) as Record<string, unknown>[]),
    answer(next: BatchAnswer) {
      answer = next;
    },
    reset() {
      calls.splice(0);
      taken.clear();
      answer = answering(204);
    },
    /** Endpoints with this one as `crm`, with a secret among its headers. */
    endpoints: (changes: Partial<HttpEndpointsOptions> = {}) =>
      createHttpEndpoints({
        connections: { crm: { url, headers: { authorization: 'Bearer top-secret' } } },
        rules: createAddressRules(['127.0.0.1']),
        clock: systemClock,
        ...changes,
      }),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

export type HttpReceiver = Awaited<ReturnType<typeof startHttpReceiver>>;
