import { join } from 'node:path';
import { loadOrgChart } from '../../../escalation/org-chart.js';
import type { Config } from '../../../src/config.js';
import { systemClock } from '../../../src/core/clock.js';
import type { Log } from '../../../src/core/log.js';
import { parsePipeline } from '../../../src/engine/parse-pipeline.js';
import { createStagingArea } from '../../../src/jobs/staging-area.js';
import { createPostgresBus } from '../../../src/messaging/postgres-bus.js';
import { openEscalations } from '../../../src/open-escalations.js';
import { createEscalationWake } from '../../../src/store/escalation-wake.js';
import { openStores } from '../../../src/store/open-stores.js';
import { handQueue } from '../../support/hand-queue.js';

/**
 * The part of a process that has to do with escalations, put together as `src/app.ts` does. Without the engine, the
 * server and the queue, whose hints nothing depends on, it starts in a fifth of the time.
 */
export async function openEscalationProcess(config: Config, log: Log) {
  const { databaseUrl } = config;
  if (databaseUrl === undefined) throw new Error('DATABASE_URL is not set');
  const stores = await openStores({ databaseUrl, connections: {}, isBusOnPostgres: true, loads: 1, log });
  const bus = await createPostgresBus({ url: databaseUrl, pool: stores.pool, clock: systemClock, log });
  const chart = await loadOrgChart(config.orgChart);
  const jobActions = stores.jobActions({
    staging: createStagingArea(join(config.home, 'staging')),
    queue: handQueue(),
    parsePipeline,
    // No verdict of this run changes a spec.
    check: async () => undefined,
    log,
  });
  const worker = `chaos:${process.pid}`;
  return {
    stores,
    chart,
    wake: createEscalationWake(bus),
    escalations: openEscalations({
      config,
      pool: stores.pool,
      bus,
      chart,
      jobActions,
      worker,
      clock: systemClock,
      log,
    }),
    async close(): Promise<void> {
      await bus.close();
      await stores.close();
    },
  };
}

export type EscalationProcess = Awaited<ReturnType<typeof openEscalationProcess>>;
