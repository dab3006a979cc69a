import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { type Context, handleProtocols, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { GraphqlContext } from '../../schema/context.js';
import { sleep, type Timer } from '../core/clock.js';
import { attachSocket } from './attach-socket.js';
import { type Authenticate, bearerToken, type Session, tokenOfPayload } from './auth.js';
import type { GatewayDeps, GatewayLimits } from './deps.js';
import type { FormatError } from './format-error.js';
import type { SocketMetrics } from './metrics.js';
import { isOriginAllowed } from './origin.js';
import { createOperationCheck, subscribeSafely } from './socket-operations.js';

/** A frame holds one operation of a client; the answers may be larger. */
const MAX_FRAME_BYTES = 64 * 1024;
/** How long subscribers may take to read what is there for them when the gateway stops, and then to say goodbye. */
const FLUSH_MS = 1_000;
const CLOSE_MS = 1_000;

/** What belongs to one socket. */
export interface SocketExtra {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  session?: Session;
  expiry?: Timer;
}

export interface SocketsOptions {
  readonly schema: GraphQLSchema;
  readonly deps: GatewayDeps;
  readonly limits: GatewayLimits;
  readonly authenticate: Authenticate;
  readonly formatError: FormatError;
  readonly metrics: SocketMetrics;
}

type SocketContext = Context<Record<string, unknown>, SocketExtra>;

/** The protocol side: who may connect, what may be subscribed to, what is answered. */
function createProtocol(options: SocketsOptions, connected: Set<SocketContext>) {
  const { schema, deps, limits, authenticate, formatError, metrics } = options;
  const { clock, jobs, steering, quarantine, queues, deadLetters, watcher, escalations, successMetrics } = deps;
  const checkOperation = createOperationCheck(schema);
  const format = (errors: readonly GraphQLError[]) => errors.map((error) => formatError(error));
  return makeServer<Record<string, unknown>, SocketExtra>({
    connectionInitWaitTimeout: limits.connectionInitMs,
    subscribe: subscribeSafely,
    onConnect(context: SocketContext) {
      const { connectionParams, extra } = context;
      const token = tokenOfPayload(connectionParams) ?? bearerToken(extra.request.headers.authorization);
      const session = authenticate(token);
      if (!session) {
        metrics.refused.inc({ reason: 'token' });
        // graphql-ws closes with 4403.
        return false;
      }
      extra.session = session;
      if (session.expiresAt !== null)
        extra.expiry = clock.after(session.expiresAt - clock.now().getTime(), () =>
          extra.socket.close(4403, 'Token expired'),
        );
      connected.add(context);
      return true;
    },
    onSubscribe(context: SocketContext, _id, payload) {
      const { session } = context.extra;
      // The new operation has its place among them already.
      if (!session || Object.keys(context.subscriptions).length > limits.subscriptionsPerSocket) {
        metrics.refused.inc({ reason: 'subscriptions' });
        const message = `A socket runs at most ${limits.subscriptionsPerSocket} subscriptions; complete one, or open another socket.`;
        return [new GraphQLError(message, { extensions: { code: 'LIMIT_EXCEEDED' } })];
      }
      const checked = checkOperation(payload);
      if (!('document' in checked)) return checked;
      const { caller } = session;
      const services = { jobs, steering, quarantine, queues, deadLetters, watcher, escalations, successMetrics };
      const contextValue: GraphqlContext = { caller, ...services };
      return { ...checked, contextValue };
    },
    onNext(_context, _id, _payload, _args, { data, errors }) {
      if (!errors) return undefined;
      // An answer without `data` says that nothing was executed.
      return { errors: format(errors), ...(data === undefined ? {} : { data }) };
    },
    onError: (_context, _id, _payload, errors) => format(errors),
    onClose(context: SocketContext) {
      connected.delete(context);
      context.extra.expiry?.cancel();
    },
  });
}

function countSubscriptions(connected: ReadonlySet<SocketContext>): number {
  let count = 0;
  for (const { subscriptions } of connected) count += Object.keys(subscriptions).length;
  return count;
}

/** Answers an upgrade with plain HTTP and closes the connection. */
function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

export interface Sockets {
  /** Takes no socket from now on. */
  refuse(): void;
  /** Lets subscribers have the events that are there, and closes every socket so that its client connects again. */
  stop(leftMs: number): Promise<void>;
}

/** Serves subscriptions over graphql-transport-ws at `/graphql`, on the port of the HTTP server. */
export function serveSockets(server: Server, options: SocketsOptions): Sockets {
  const { deps, limits, metrics } = options;
  const connected = new Set<SocketContext>();
  const protocol = createProtocol(options, connected);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: true,
    handleProtocols: (protocols) => handleProtocols(protocols),
  });
  metrics.watch(() => ({ sockets: sockets.clients.size, subscriptions: countSubscriptions(connected) }));
  let isStopping = false;
  const reasonToRefuse = (request: IncomingMessage): [string, string] | undefined => {
    if (request.url?.split('?')[0] !== '/graphql') return ['path', '404 Not Found'];
    if (!isOriginAllowed(request, deps.config.allowedOrigins)) return ['origin', '403 Forbidden'];
    if (isStopping || sockets.clients.size >= limits.sockets) return ['sockets', '503 Service Unavailable'];
    return undefined;
  };
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refused = reasonToRefuse(request);
    if (refused) {
      metrics.refused.inc({ reason: refused[0] });
      return refuse(socket, refused[1]);
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      attachSocket(protocol, webSocket, { request, socket: webSocket }, { ...deps, pingMs: limits.pingMs });
    });
  };
  server.on('upgrade', onUpgrade);
  return {
    refuse() {
      isStopping = true;
    },
    async stop(leftMs) {
      isStopping = true;
      if (connected.size > 0) await deps.watcher.flush?.(Math.min(FLUSH_MS, leftMs / 2));
      // 1012, service restart: clients of graphql-ws connect again, to another gateway or to this one later.
      for (const socket of sockets.clients) socket.close(1012, 'Service restart');
      const deadline = new AbortController();
      const waiting = sleep(deps.clock, Math.min(CLOSE_MS, leftMs / 2), deadline.signal);
      for (const socket of sockets.clients)
        socket.once('close', () => {
          if (sockets.clients.size === 0) deadline.abort();
        });
      if (sockets.clients.size > 0) await waiting;
      else deadline.abort();
      for (const socket of sockets.clients) socket.terminate();
      server.off('upgrade', onUpgrade);
      sockets.close();
    },
  };
}
