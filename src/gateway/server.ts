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
import { serviceMetrics } from './service-metrics.js';
import { serveSockets } from './sockets.js';
import { START_PAGE } from './start-page.js';
import { uploadRoutes } from './uploads.js';

export interface Gateway {
  /** Base URL, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** Closes sockets so that clients connect again elsewhere, lets running requests end, and frees the port. */
  stop(): Promise<void>;
}

/** Requests that are still running when the gateway stops may take this long. */
const DRAIN_MS = 5_000;

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

  const server = fastify({ logger: false, bodyLimit: limits.graphqlBodyBytes, forceCloseConnections: 'idle' });
  installErrorHandlers(server, log);
  requireToken(server, authenticate);
  healthRoutes(server, clock, deps.health, () => isStopping);
  metricsRoutes(server, metrics);
  server.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(START_PAGE));
  await server.register(uploadRoutes(deps.uploadsDir, limits.uploadBytes));
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

  return {
    url: urlOf(config.host, port),
    port,
    async stop() {
      if (isStopping) return;
      isStopping = true;
      await sockets.stop();
      const cut = clock.after(DRAIN_MS, () => server.server.closeAllConnections());
      await server.close();
      cut.cancel();
      await apollo.stop();
      metrics.registry.clear();
    },
  };
}
