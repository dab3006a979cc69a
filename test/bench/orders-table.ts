import type { Client } from 'pg';

/** The columns of the file, in its order; the table has `total` besides. */
export const FILE_COLUMNS = 'id, created_at, customer_email, country, quantity, unit_price, status, note';

/** With its schema: the embedded server's role is called sluice, and so `sluice` would come before `public`. */
export const inPublic = (table: string): string => `public.${table}`;

/** The same typed, empty table for every loader; what was in it is gone, and the server's own work of it done. */
export async function freshTable(client: Client, table: string): Promise<void> {
  await client.query(`drop table if exists ${inPublic(table)}`);
  await client.query(`create table ${inPublic(table)} (
    id bigint, created_at timestamp, customer_email text, country text, quantity integer,
    unit_price numeric(12,2), status text, note text, total numeric(18,2))`);
  // Otherwise the checkpoint of one round is paid for in the next. Only a superuser may ask for one.
  await client.query('checkpoint').catch(() => undefined);
}

export async function countRows(client: Client, table: string): Promise<number> {
  const { rows } = await client.query<{ n: string }>(`select count(*) as n from ${inPublic(table)}`);
  return Number(rows[0]?.n);
}
