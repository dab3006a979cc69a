import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { defineComponent } from '../component.js';
import { complete } from './complete-part.js';
import { asArray, type Batch, batchesOf } from './http-batches.js';
import type { Delivery, HttpEndpoints, LoadedPart, Part, PreparedSink, SinkBinding } from './sink.js';

/** A batch is held in memory, so that it has a length and a digest. */
const MOST_BATCH_BYTES = 4 * 1024 * 1024;

// Nothing that could lead out of the path of the connection, by whatever way a server reads it.
const PATH =
  /^[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*(\/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)*\/?$/;

const options = z.strictObject({
  connection: z
    .string()
    .min(1)
    .describe('Name of a connection in SLUICE_HTTP_CONNECTIONS, which holds its URL and headers.'),
  path: z
    .string()
    .max(1_000)
    .regex(PATH, 'A relative path of plain segments, such as v1/orders.')
    .exactOptional()
    .describe('Path below the URL of the connection, e.g. v1/orders. Default: that URL itself.'),
  method: z.enum(['POST', 'PUT']).default('POST').describe('Method of the requests. Default POST.'),
  batchRows: z
    .int()
    .min(1)
    .max(10_000)
    .default(500)
    .describe('Rows of a request, from 1 to 10000; fewer when they take more than 4 MiB. Default 500.'),
  format: z
    .enum(['JSON', 'NDJSON'])
    .default('JSON')
    .describe('JSON sends an array of objects, NDJSON one object a line. Default JSON.'),
  concurrency: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe('Requests of a part at once, from 1 to 16; with 1 its batches arrive in order. Default 1.'),
});

type HttpOptions = z.infer<typeof options>;

/** With the options, so that every worker cuts the parts of the job the same way. */
const preparedHttp = options.extend({ jobId: z.string() });
type PreparedHttp = z.infer<typeof preparedHttp>;

export const httpSink = defineComponent<HttpOptions, SinkBinding>({
  name: 'http',
  kind: 'sink',
  summary:
    'Requests with batches of rows as JSON to an HTTP endpoint, each sent at least once and with the same Idempotency-Key every time.',
  options,
  example: { connection: 'crm', path: 'v1/orders', batchRows: 500 },
  bind(bound) {
    return {
      connection: null,
      staging: { kind: 'JSON' },
      async inspect(_client, _output, _files, endpoints) {
        await reach(endpoints, bound.connection).check(bound.connection);
        return { columns: null, key: [] };
      },
      prepare: async (_client, job) => ({ ...bound, jobId: job.id }),
      load: deliver,
      deliver,
      // A receiver that keeps to the keys takes a batch once, and one that does not was promised no more.
      effectOf: () => 'REPEATABLE',
      publish: async () => null,
      discard: async () => undefined,
    };
  },
});

function reach(endpoints: HttpEndpoints | undefined, connection: string): HttpEndpoints {
  if (endpoints !== undefined) return endpoints;
  const message = `There is no HTTP connection ${connection}; this process has none.`;
  throw new SluiceError('UNKNOWN_CONNECTION', message, { path: ['connection'] });
}

/** Sends the batches of a part; it is loaded when every one is acknowledged. The first failure aborts the others. */
async function deliver({ signal, endpoints }: Delivery, json: PreparedSink, part: Part): Promise<LoadedPart> {
  signal.throwIfAborted();
  const prepared = preparedHttp.parse(json);
  const target = reach(endpoints, prepared.connection);
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const batches = batchesOf(part, { rows: prepared.batchRows, bytes: MOST_BATCH_BYTES });
  let acknowledged = 0;
  const sender = async () => {
    for await (const batch of batches) {
      stop.throwIfAborted();
      await target.send(prepared.connection, requestOf(prepared, part, batch), stop);
      acknowledged += batch.rows;
    }
  };
  await Promise.allSettled(
    Array.from({ length: prepared.concurrency }, () => sender().catch((error: unknown) => failed.abort(error))),
  );
  stop.throwIfAborted();
  // Nothing is read back: whoever acknowledges rows answers for them.
  return { rows: complete(part, acknowledged), recheck: null };
}

function requestOf({ jobId, path, method, format }: PreparedHttp, part: Part, { number, lines }: Batch) {
  const body = format === 'JSON' ? asArray(lines) : lines;
  // The digest tells an evaluation from another one of the same job, whose batches may hold other rows.
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const contentType = format === 'JSON' ? 'application/json' : 'application/x-ndjson';
  return { path: path ?? null, method, contentType, key: `${jobId}-${part.ordinal}-${number}-${digest}`, body };
}
