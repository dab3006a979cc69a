import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { QuarantineService } from '../../schema/context.js';
import { SluiceError } from '../core/errors.js';
import { sessionOf } from './access.js';

type Filter = Parameters<QuarantineService['download']>[1];
type Status = NonNullable<Filter['statuses']>[number];

const STATUSES: readonly Status[] = ['OPEN', 'FIXED', 'REPLAYING', 'REPLAYED', 'DISCARDED'];
const PARAMETERS: readonly string[] = ['status', 'code', 'column'];

/** What the parameters of a query string mean; `status` may be given several times, or as a list with commas. */
function filterOf(jobId: string, query: Readonly<Record<string, unknown>>): Filter {
  const texts = (name: string): readonly string[] => {
    const given = query[name];
    return given === undefined ? [] : Array.isArray(given) ? given.map(String) : [String(given)];
  };
  const unknown = Object.keys(query).find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    throw new SluiceError(
      'INVALID_INPUT',
      `There is no parameter ${JSON.stringify(unknown)}; there are status, code and column.`,
    );
  const statuses = texts('status')
    .flatMap((text) => text.split(','))
    .map(statusOf);
  const one = (name: string): string | undefined => {
    const [text, ...others] = texts(name);
    if (others.length > 0) throw new SluiceError('INVALID_INPUT', `Give ${name} once.`);
    if (text?.includes('\0')) throw new SluiceError('INVALID_INPUT', `The value of ${name} must not hold a NUL.`);
    return text;
  };
  const [code, column] = [one('code'), one('column')];
  return {
    jobId,
    ...(statuses.length > 0 && { statuses }),
    ...(code !== undefined && { code }),
    ...(column !== undefined && { column }),
  };
}

function statusOf(text: string): Status {
  const status = STATUSES.find((one) => one === text.toUpperCase());
  if (status !== undefined) return status;
  throw new SluiceError('INVALID_INPUT', `The status must be one of ${STATUSES.join(', ')}.`);
}

/**
 * `GET /jobs/{id}/quarantine.ndjson`: the quarantined rows of a job, one JSON object a line. It reads on as fast as the
 * client does, a page at a time.
 */
export function quarantineRoutes(server: FastifyInstance, quarantine: QuarantineService): void {
  server.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/jobs/:id/quarantine.ndjson',
    async (request, reply) => {
      const { caller } = sessionOf(request);
      const lines = await quarantine.download(caller, filterOf(request.params.id, request.query));
      return reply
        .type('application/x-ndjson; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(Readable.from(lines, { objectMode: false, highWaterMark: 1 }));
    },
  );
}
