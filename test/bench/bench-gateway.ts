import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGatewayProcess } from '../support/gateway-process.js';
import { type GatewayClient, openGatewayClient } from './gateway-client.js';

const MAIN = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'src', 'main.js');

export interface BenchGateway {
  readonly client: GatewayClient;
  readonly pid: number;
  /** p99 of the event loop's delay since it was asked last, in ms; NaN when /metrics does not tell. */
  loopDelayMs(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * The built gateway with all its roles in one process, as `npm start` runs it.
 *
 * @param databaseUrl undefined for the embedded default
 */
export async function startBenchGateway(folder: string, databaseUrl: string | undefined): Promise<BenchGateway> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-home-'));
  const database = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
  const env = { ...database, SLUICE_HOME: home, SLUICE_DATA_DIRS: folder, SLUICE_LOG_LEVEL: 'warn' };
  const gateway = await startGatewayProcess({ entry: [MAIN], env });
  const client = openGatewayClient(gateway.url, gateway.token);
  return {
    client,
    pid: gateway.pid,
    async loopDelayMs() {
      const headers = { authorization: `Bearer ${gateway.token}` };
      const answer = await fetch(`${gateway.url}/metrics`, { headers }).catch(() => undefined);
      const seconds = /^nodejs_eventloop_lag_p99_seconds ([0-9.e+-]+)$/m.exec((await answer?.text()) ?? '')?.[1];
      return seconds === undefined ? Number.NaN : Number(seconds) * 1000;
    },
    async stop() {
      await client.close();
      await gateway.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
