import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';

const CONNECTIONS = 4;

/**
 * Loads every record with a COPY of its own, a transaction each, so that PostgreSQL's own reader of CSV and its own
 * input functions judge each row and no bad row hides another. The bytes are those that `psql \copy` would send.
 * @returns what the server said of each record that it refused, by its position
 */
export async function copyRows(
  url: string,
  table: string,
  records: readonly Buffer[],
  timeZone: string,
): Promise<ReadonlyMap<number, string>> {
  const refused = new Map<number, string>();
  let next = 0;
  async function copyOnOneConnection(): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(`SET synchronous_commit = off`);
      await client.query(`SELECT set_config('TimeZone', $1, false)`, [timeZone]);
      const sql = `COPY ${table} (id, v) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')`;
      for (let i = next++; i < records.length; i = next++) {
        const record = records[i] ?? Buffer.of();
        try {
          await pipeline(Readable.from([record]), client.query(from(sql)));
        } catch (error) {
          if (!(error instanceof pg.DatabaseError)) throw error;
          refused.set(i, error.message);
        }
      }
    } finally {
      await client.end();
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, copyOnOneConnection));
  return refused;
}
