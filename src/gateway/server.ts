import { mkdir } from 'node:fs/promises';
import fastify, { type FastifyInstance } from 'fastify';
import { buildSluiceSchema } from '../../schema/build.js';
import { requireToken } from './access.js';
import { adminAuthentication } from './auth.js';
import { DEFAULT_LIMITS, type GatewayDeps } from './deps.js';
import { cachedFigures } from './figures-cache.js';
import { createErrorFormatter } from './format-error.js';
import { createApollo, graphqlRoute } from './graphql-route.js';
import { healthRoutes } from './health.js';
import { installErrorHandlers } from './http-errors.js';
import { createMetrics, metricsRoutes } from './metrics.js';
import { quarantineRoutes } from './quarantine-download.js';
import { serviceMetrics } from './service-metrics.js';
import { serveSockets } from './sockets.js';
import { START_PAGE } from './start-page.js';
import { createUploadQuota } from './upload-quota.js';
import { uploadRoutes } from './uploads.js';

export interface Gateway {
  /** Base URL, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** From now on nobody new is to be sent here: readiness says so, sockets are refused, and connections end with their answer. */
  announceStop(): void;
  /**
   * Closes sockets so that clients connect again elsewhere, lets running requests end, and frees the port.
   * @param leftMs what running requests may take
   */
  stop(leftMs?: number): Promise<void>;
}

/** Requests that are still running when the gateway stops may take this long, unless it is told otherwise. */
const DRAIN_MS = 5_000;
/** Of that, for its last steps. */
const CLOSE_MS = 200;

/** A wildcard address is no place to connect to; the loopback address of its family is. */
function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

async function listen(server: FastifyInstance, { host, port }: GatewayDeps['config']): Promise<number> {
  await server.listen({ host, port });
  const address = server.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Serves GraphQL over HTTP and WebSocket, uploads, health and metrics on one port. */
export async function startGateway(deps: GatewayDeps): Promise<Gateway> {
  const { config, log, clock, watcher } = deps;
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  await mkdir(deps.uploadsDir, { recursive: true });
  const schema = buildSluiceSchema();
  const authenticate = adminAuthentication(deps.adminToken);
  const formatError = createErrorFormatter(log, deps.isPassing);
  const metrics = createMetrics(watcher.stats?.bind(watcher));
  if (deps.figures) serviceMetrics(metrics.registry, cachedFigures(deps.figures, clock));
  const route = { schema, deps, formatError, bodyLimit: limits.graphqlBodyBytes };
  const apollo = await createApollo(route);
  let isStopping = false;
  let stopped: Promise<void> | undefined;

  const server = fastify({ logger: false, bodyLimit: limits.graphqlBodyBytes, forceCloseConnections: 'idle' });
  server.addHook('onSend', async (_request, reply) => {
    // A client that keeps its connection would find this gateway gone with its next request.
    if (isStopping) reply.header('connection', 'close');
  });
  installErrorHandlers(server, log);
  requireToken(server, authenticate);
  healthRoutes(server, clock, deps.health, () => isStopping);
  metricsRoutes(server, metrics);
  server.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(START_PAGE));
  quarantineRoutes(server, deps.quarantine);
  const quota = createUploadQuota(deps.uploadsDir, limits.allUploadsBytes);
  await server.register(uploadRoutes({ dir: deps.uploadsDir, limit: limits.uploadBytes, quota }));
  await server.register(graphqlRoute(apollo, route));
  const sockets = serveSockets(server.server, {
    schema,
    deps,
    limits,
    authenticate,
    formatError,
    metrics: metrics.sockets,
  });
  const port = await listen(server, config);

  const announceStop = (): void => {
    isStopping = true;
    sockets.refuse();
  };
  const stop = async (leftMs: number): Promise<void> => {
    const end = clock.monotonicMs() + leftMs - CLOSE_MS;
    announceStop();
    await sockets.stop(leftMs / 2);
    const cut = clock.after(Math.max(0, end - clock.monotonicMs()), () => server.server.closeAllConnections());
    await server.close();
    cut.cancel();
    await apollo.stop();
    metrics.registry.clear();
  };
  return {
    url: urlOf(config.host, port),
    port,
    announceStop,
    async stop(leftMs = DRAIN_MS) {
      stopped ??= stop(leftMs);
      await stopped;
    },
  };
}
