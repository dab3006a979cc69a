import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WatcherStats } from './deps.js';

/** What the sockets count by themselves. */
export interface SocketMetrics {
  readonly refused: Counter<'reason'>;
  /** Figures of now, asked for when somebody scrapes. */
  watch(now: () => { readonly sockets: number; readonly subscriptions: number }): void;
}

export interface Metrics {
  readonly registry: Registry;
  readonly sockets: SocketMetrics;
  readonly httpSeconds: Histogram<'method' | 'route' | 'status'>;
}

/** A gauge whose value is looked up when somebody scrapes. */
function liveGauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect(this: Gauge) {
      this.set(value());
    },
  });
}

/** The same for what only grows. */
function liveCounter(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect(this: Counter) {
      this.reset();
      this.inc(value());
    },
  });
}

function hubMetrics(registry: Registry, stats: () => WatcherStats): void {
  liveGauge(registry, 'sluice_hub_subscribers', 'Event streams that are open', () => stats().subscribers);
  liveGauge(registry, 'sluice_hub_channels', 'Jobs and feeds that are followed', () => stats().channels);
  const since = 'since the start';
  liveCounter(
    registry,
    'sluice_hub_conflated_total',
    `Progress events merged into later ones ${since}`,
    () => stats().conflated,
  );
  liveCounter(
    registry,
    'sluice_hub_lagged_total',
    `LAGGED markers told to slow readers ${since}`,
    () => stats().lagged,
  );
  liveCounter(
    registry,
    'sluice_hub_healed_total',
    `Lost signals found by the safety poll ${since}`,
    () => stats().healed,
  );
}

/** Figures of one gateway in a registry of its own, so that several can live in one process. */
export function createMetrics(stats: (() => WatcherStats) | undefined): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  if (stats) hubMetrics(registry, stats);
  return {
    registry,
    httpSeconds: new Histogram({
      name: 'sluice_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    sockets: {
      refused: new Counter({
        name: 'sluice_ws_refused_total',
        help: 'WebSockets and operations that were refused, by reason',
        labelNames: ['reason'],
        registers,
      }),
      watch(now) {
        liveGauge(registry, 'sluice_ws_connections', 'Open WebSockets', () => now().sockets);
        liveGauge(registry, 'sluice_ws_subscriptions', 'Running subscriptions', () => now().subscriptions);
      },
    },
  };
}

/** `GET /metrics`, and the time of every request. */
export function metricsRoutes(server: FastifyInstance, { registry, httpSeconds }: Metrics): void {
  server.addHook('onResponse', async (request, reply) => {
    // The route, not the path: a label must not take whatever a client makes up.
    const route = request.routeOptions.url ?? 'unknown';
    httpSeconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  server.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType).header('cache-control', 'no-store');
    return registry.metrics();
  });
}
