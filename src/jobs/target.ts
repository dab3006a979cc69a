import { z } from 'zod';

const spec = z.object({ sink: z.record(z.string(), z.unknown()) });
const table = z.object({ connection: z.string(), schema: z.string(), table: z.string() });
const endpoint = z.object({ connection: z.string(), batchRows: z.number(), path: z.string().optional() });
const file = z.object({ uri: z.string() });

/**
 * Names what a job writes: `connection.schema.table`, the URI of the file, or `http:connection/path`. Jobs with the same name write the same
 * target, and wait for each other's pauses.
 *
 * @param stored a spec as it is stored, with its defaults
 * @returns null for a sink that names neither
 */
export function targetOf(stored: unknown): string | null {
  const parsed = spec.safeParse(stored);
  if (!parsed.success) return null;
  const [options] = Object.values(parsed.data.sink);
  const asTable = table.safeParse(options);
  if (asTable.success) return `${asTable.data.connection}.${asTable.data.schema}.${asTable.data.table}`;
  const asEndpoint = endpoint.safeParse(options);
  if (asEndpoint.success) return `http:${asEndpoint.data.connection}/${asEndpoint.data.path ?? ''}`;
  const asFile = file.safeParse(options);
  return asFile.success ? asFile.data.uri : null;
}
