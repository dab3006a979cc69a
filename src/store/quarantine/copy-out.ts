import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import type { PoolClient } from '../pool.js';

/**
 * Writes what a SELECT answers into a file, as CSV; rows go through no hand of ours.
 * @param select without parameters, as COPY takes none
 */
export async function copyOut(client: PoolClient, select: string, path: string): Promise<number> {
  const copying = client.query(copyTo(`copy (${select}) to stdout (format csv)`));
  await pipeline(copying, createWriteStream(path));
  return copying.rowCount;
}
