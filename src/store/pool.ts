import pg from 'pg';

export type Pool = pg.Pool;
export type PoolClient = pg.PoolClient;
/** What a query needs: the pool, or the client of a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

export interface PoolOptions {
  /** Most connections at once. */
  readonly max: number;
  /** Shown in pg_stat_activity, so that an operator can tell the roles apart. */
  readonly applicationName: string;
  /**
   * After so long without a word inside a transaction the server takes it back. Of a process that was killed it knows at
   * once; of a machine that vanished, or a process that is frozen, not for hours, and its locks would hold everybody up.
   * For pools whose transactions do nothing else meanwhile.
   */
  readonly idleInTransactionMs?: number;
  /**
   * Milliseconds after which a statement is given up, with its connection: one that died without a word tells nobody.
   * For pools whose statements are all short; none by default.
   */
  readonly silenceMs?: number;
  /** Told of connections that break while nobody uses them; the pool replaces them. */
  readonly onIdleError?: (error: Error) => void;
}

/**
 * How column types reach JavaScript, for this pool alone (pg's own table is global to the process): bigint as
 * `bigint`, exact; numeric as a string, exact; timestamptz as Date; json and jsonb parsed.
 */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, BigInt);

/** A server that is there greets sooner; waiting for a free connection of a busy pool may take longer. */
const GREETING_MS = 5_000;

class Client extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: GREETING_MS });
  }
}

export function createPool(url: string, options: PoolOptions): Pool {
  const { max, applicationName, idleInTransactionMs, silenceMs, onIdleError } = options;
  const pool = new pg.Pool({
    Client,
    connectionString: url,
    max,
    application_name: applicationName,
    types,
    connectionTimeoutMillis: 10_000,
    ...(idleInTransactionMs !== undefined && { idle_in_transaction_session_timeout: idleInTransactionMs }),
    query_timeout: silenceMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // A pool that nobody ends must not keep a command from finishing.
    allowExitOnIdle: true,
  });
  // Without these listeners a connection that the server closes ends the whole process: the pool speaks for the idle
  // ones, the client for itself while somebody has it. Whoever has it learns of it from the next query, which fails.
  pool.on('error', (error) => onIdleError?.(error));
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * Runs `fn` in one transaction: committed when it resolves, rolled back when it throws. A connection whose rollback
 * fails is closed and not given to anybody else.
 */
export async function withTransaction<T>(pool: Pool, fn: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await fn(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
