import { SluiceError } from '../core/errors.js';
import type { SinkConnections } from '../jobs/stores.js';
import { cancellableTransaction } from './cancellable-transaction.js';
import { createPool, type Pool } from './pool.js';

/** The name that stands for the system's own database. */
const DEFAULT = 'default';

export interface SinkConnectionsOptions {
  readonly systemUrl: string;
  readonly systemPool: Pool;
  /** Further databases by name. */
  readonly urls: Readonly<Record<string, string>>;
  /** Most connections to each of them. */
  readonly max: number;
  readonly onIdleError: (error: Error) => void;
}

/** Opens a pool when a connection is first used, and none for databases that no job writes to. */
export function createSinkConnections(options: SinkConnectionsOptions): SinkConnections & { close(): Promise<void> } {
  const { systemUrl, systemPool, urls, max, onIdleError } = options;
  const pools = new Map<string, Pool>();

  const isSystem = (connection: string | null) =>
    connection === null || (urls[connection] ?? (connection === DEFAULT ? systemUrl : undefined)) === systemUrl;

  function poolOf(connection: string | null): Pool {
    if (connection === null || isSystem(connection)) return systemPool;
    const opened = pools.get(connection);
    if (opened) return opened;
    const url = Object.hasOwn(urls, connection) ? urls[connection] : undefined;
    if (url === undefined) {
      const known = [...new Set([DEFAULT, ...Object.keys(urls)])].join(', ');
      throw new SluiceError('UNKNOWN_CONNECTION', `There is no connection ${connection}; configured are ${known}.`, {
        path: ['connection'],
      });
    }
    const pool = createPool(url, { max, applicationName: 'sluice sink', onIdleError });
    pools.set(connection, pool);
    return pool;
  }

  return {
    isSystem,

    async withClient(connection, work) {
      const client = await poolOf(connection).connect();
      let broken: boolean | undefined;
      try {
        return await work(client);
      } catch (error) {
        // What the work left behind on the session is not known.
        broken = true;
        throw error;
      } finally {
        client.release(broken);
      }
    },

    transaction: async (connection, signal, work) => cancellableTransaction(poolOf(connection), signal, work),

    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}
