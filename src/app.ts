import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadOrgChart } from '../escalation/org-chart.js';
import { adminToken } from './admin-token.js';
import type { Config } from './config.js';
import type { Clock } from './core/clock.js';
import { newId } from './core/ids.js';
import type { Log } from './core/log.js';
import { createAddressRules } from './core/safe-address.js';
import { createEngine } from './engine/create-engine.js';
import { createFileResolver } from './engine/files/file-resolver.js';
import { parsePipeline } from './engine/parse-pipeline.js';
import { createHttpEndpoints } from './engine/sinks/http-endpoints.js';
import { startGateway } from './gateway/server.js';
import { createJobService } from './jobs/create-job-service.js';
import { createJobSteering } from './jobs/create-job-steering.js';
import { createDeadLetterService } from './jobs/dead-letters/create-dead-letter-service.js';
import { createDiskFigures } from './jobs/disk-figures.js';
import { startEventHub } from './jobs/event-hub.js';
import { failureOf } from './jobs/failure.js';
import { startJanitor } from './jobs/janitor.js';
import { startMonitors } from './jobs/monitors/start-monitors.js';
import { createSuccessMetricsService } from './jobs/monitors/success-metrics-service.js';
import { startWorkerBeacon } from './jobs/monitors/worker-beacon.js';
import { createQuarantineService } from './jobs/quarantine/create-quarantine-service.js';
import { startQueueService } from './jobs/queue/create-queue-service.js';
import { startRunner } from './jobs/runner.js';
import { createStagingArea } from './jobs/staging-area.js';
import { startSweeper } from './jobs/sweeper.js';
import type { WorkerContext } from './jobs/worker-context.js';
import { createMessaging } from './messaging/create-messaging.js';
import { openEscalations } from './open-escalations.js';
import { Shutdown } from './shutdown.js';
import { startEmbeddedPostgres } from './store/embedded-postgres.js';
import { migrate } from './store/migrate.js';
import { createMonitorStore } from './store/monitor-store.js';
import { openStores } from './store/open-stores.js';
import { createQueueStore } from './store/queue-store.js';
import { readServiceFigures } from './store/service-figures-store.js';
import { createSuccessMetricsStore } from './store/success-metrics-store.js';
import { createWorkerStore } from './store/worker-store.js';

export interface App {
  /** Address of the gateway; undefined without that role. */
  readonly url: string | undefined;
  /** The console with its token in the fragment, on the first start alone. */
  readonly consoleUrl: string | undefined;
  /** Drains and closes everything, within the grace that the configuration gives and a little more. */
  stop(): Promise<void>;
  /** Whether a query of DuckDB still runs that does not notice its interruption; the process cannot exit by itself then. */
  isStuck(): boolean;
}

// DuckDB may spill this much to disk for one evaluation.
const ENGINE_TEMP_MB = 20_000;

/**
 * Puts the process together by its roles and starts it.
 * @throws SluiceError with a sentence for the operator; nothing is left running then
 */
export async function startApp(config: Config, log: Log, clock: Clock): Promise<App> {
  const shutdown = new Shutdown(clock, config.stopGraceMs);
  try {
    return await start(config, log, clock, shutdown);
  } catch (error) {
    await shutdown.run(log);
    throw error;
  }
}

async function start(config: Config, log: Log, clock: Clock, shutdown: Shutdown): Promise<App> {
  // First, because a mistake in it is found without starting anything.
  const chart = await loadOrgChart(config.orgChart);
  const databaseUrl = config.databaseUrl ?? (await embeddedUrl(config, log, shutdown));
  await migrate(databaseUrl, { log });

  const stores = await openStores({
    databaseUrl,
    connections: config.connections,
    isBusOnPostgres: config.redisUrl === undefined,
    loads: config.workerConcurrency * 2,
    log,
  });
  shutdown.add('stores', stores.close);
  const { installation } = stores;
  const { queue, bus, close } = await createMessaging({
    databaseUrl,
    redisUrl: config.redisUrl,
    namespace: `sluice-${installation}`,
    pool: stores.pool,
    clock,
    log,
  });
  stores.announceOver(bus);
  shutdown.add('messaging', close);

  const uploadsDir = join(config.home, 'uploads');
  const files = createFileResolver({ dataDirs: config.dataDirs, uploadsDir });
  const endpoints = createHttpEndpoints({
    connections: config.httpConnections,
    rules: createAddressRules(config.httpAllow),
    clock,
  });
  shutdown.add('HTTP endpoints', endpoints.close);
  const scratchDir = join(config.home, 'scratch');
  const engine = createEngine({
    files,
    endpoints,
    limits: { memoryMb: config.engineMemoryMb, threads: config.engineThreads, tempMb: ENGINE_TEMP_MB },
    scratchDir,
    clock,
  });
  const isStuck = (): boolean => engine.openSessions() > 0;
  const worker = `${hostname()}:${process.pid}:${newId().slice(-6)}`;
  const staging = createStagingArea(join(config.home, 'staging'));
  const jobActions = stores.jobActions({
    staging,
    queue,
    parsePipeline,
    check: (pipeline) =>
      engine.check(pipeline, (work) => stores.connections.withClient(pipeline.sink.connection, work)),
    log,
  });
  const escalations = openEscalations({ config, pool: stores.pool, bus, chart, jobActions, worker, clock, log });
  const context: WorkerContext = {
    ...stores,
    worker,
    staging,
    engine,
    stagingMaxBytes: config.stagingMaxBytes,
    files,
    endpoints,
    parsePipeline,
    queue,
    bus,
    clock,
    log,
    random: Math.random,
    onHeld: escalations.onHeld,
  };
  if (config.roles.has('scheduler')) {
    shutdown.addWork('sweeper', startSweeper(context, stores.sweep, config.quarantineDays).stop);
    const { sweep } = stores;
    const { uploadsDays } = config;
    shutdown.addWork(
      'janitor',
      startJanitor({ uploadsDir, scratchDir, uploadsDays, staging, sweep, files, clock, log }).stop,
    );
    shutdown.addWork('monitors', startMonitors({ store: createMonitorStore(stores.pool), clock, log }).stop);
  }
  if (config.roles.has('escalator')) await escalations.start(shutdown);
  if (config.roles.has('worker')) {
    const runner = await startRunner(context, config.workerConcurrency, config.stopGraceMs);
    shutdown.addWork('runner', runner.stop);
    const store = createWorkerStore(stores.pool);
    const slots = config.workerConcurrency;
    shutdown.addWork('beacon', startWorkerBeacon({ store, worker, slots, busy: runner.busy, clock, log }).stop);
  }
  if (!config.roles.has('gateway'))
    return { url: undefined, consoleUrl: undefined, stop: () => shutdown.run(log), isStuck };

  const hub = await startEventHub({ bus, reader: stores.events, clock, log });
  shutdown.add('hub', () => hub.stop());
  const queues = await startQueueService({ store: createQueueStore(stores.pool), queue, bus, clock, log });
  shutdown.add('queue service', queues.stop);
  const { token, isNew } = await adminToken(config.home, config.adminToken);
  const diskFigures = createDiskFigures(staging, uploadsDir, clock);
  const gateway = await startGateway({
    config,
    log,
    clock,
    jobs: createJobService({
      ...stores,
      queue,
      engine,
      parsePipeline,
      isKnownOwner: (id) => chart.agent(id) !== undefined,
      log,
    }),
    steering: createJobSteering({
      jobs: stores.jobs,
      retry: stores.retry({ staging, parsePipeline, log }),
      queue,
      bus,
      log,
    }),
    quarantine: createQuarantineService({ ...stores, queue, engine, parsePipeline, log }),
    queues: queues.service,
    deadLetters: createDeadLetterService({ store: stores.deadLetters, log }),
    watcher: hub,
    escalations: escalations.service(),
    successMetrics: createSuccessMetricsService(createSuccessMetricsStore(stores.pool)),
    health: async () => {
      const [database, queueAnswers, busAnswers] = await Promise.all([
        stores.healthy(clock),
        queue.healthy(),
        bus.healthy(),
      ]);
      return { database, queue: queueAnswers, bus: busAnswers };
    },
    figures: async () => {
      const [figures, disk] = await Promise.all([readServiceFigures(stores.pool), diskFigures()]);
      return { ...figures, ...(disk && { disk }) };
    },
    isPassing: (thrown) => failureOf(thrown).code === 'UNAVAILABLE',
    adminToken: token,
    uploadsDir,
    limits: { allUploadsBytes: config.uploadsMaxBytes },
  });
  shutdown.addEdge('gateway', gateway.stop, gateway.announceStop);
  return {
    url: gateway.url,
    consoleUrl: isNew ? `${gateway.url}/#token=${token}` : undefined,
    stop: () => shutdown.run(log),
    isStuck,
  };
}

async function embeddedUrl(config: Config, log: Log, shutdown: Shutdown): Promise<string> {
  const embedded = await startEmbeddedPostgres({ home: config.home, log });
  shutdown.add('embedded Postgres', embedded.stop);
  return embedded.url;
}
