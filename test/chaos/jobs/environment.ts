import { setTimeout as sleep } from 'node:timers/promises';
import type { Node } from './nodes.js';
import { exhaustConnections, type Servers } from './servers.js';
import { leasesRunOut } from './time.js';

/**
 * What breaks around the processes. `NETWORK_CUT`: every connection to the database. `NETWORK_SILENT`: nothing comes
 * through for a while, and then they break. `POOL_EXHAUSTED`: others have all connections of the server. `FREEZE`: a
 * process stands still until others have its work, and goes on then.
 */
export const ENVIRONMENT_FAULTS = [
  'FLUSHALL',
  'REDIS_RESTART',
  'POSTGRES_RESTART',
  'NETWORK_CUT',
  'NETWORK_SILENT',
  'POOL_EXHAUSTED',
  'FREEZE',
] as const;
export type EnvironmentFault = (typeof ENVIRONMENT_FAULTS)[number];

export const faultsOf = ({ redis }: Servers): readonly EnvironmentFault[] =>
  redis ? ENVIRONMENT_FAULTS : ENVIRONMENT_FAULTS.filter((fault) => !['FLUSHALL', 'REDIS_RESTART'].includes(fault));

const AWHILE_MS = 700;
/** Until another process has looked, and taken over. */
const FROZEN_MS = 2_500;

/** @param victim one of the processes, for faults that have one */
export async function breakEnvironment(fault: EnvironmentFault, servers: Servers, victim: Node): Promise<void> {
  const { redis, proxy, pool, databaseUrl } = servers;
  switch (fault) {
    case 'FLUSHALL':
      return redis?.flush();
    case 'REDIS_RESTART':
      return redis?.replace();
    case 'POSTGRES_RESTART':
      return servers.killPostgres();
    case 'NETWORK_CUT':
      return proxy.cut();
    case 'NETWORK_SILENT':
      proxy.silence();
      await sleep(AWHILE_MS);
      return proxy.up();
    case 'POOL_EXHAUSTED': {
      const giveBack = await exhaustConnections(databaseUrl);
      await sleep(AWHILE_MS);
      return giveBack();
    }
    case 'FREEZE':
      victim.signal('SIGSTOP');
      await leasesRunOut(pool, victim.pid).catch(() => undefined);
      await sleep(FROZEN_MS);
      return victim.signal('SIGCONT');
  }
}
