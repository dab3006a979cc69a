import type { Server as ProtocolServer } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';

/**
 * Bytes that may wait for a client that does not read. Subscriptions wait for each event to be sent; beyond this go
 * only clients that keep sending (pings, broken operations) without ever reading the answers.
 */
const MAX_BUFFERED_BYTES = 1024 * 1024;

const INTERNAL = 4500;

export interface AttachOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A client that does not answer one ping before the next is gone. */
  readonly pingMs: number;
}

/**
 * Ties a WebSocket to the protocol of graphql-ws. Differs from the library's own adapter in that it prints nothing,
 * says nothing of errors to clients, and ends clients that only send.
 */
export function attachSocket<Extra>(
  protocol: ProtocolServer<Extra>,
  socket: WebSocket,
  extra: Extra,
  { clock, log, pingMs }: AttachOptions,
): void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const ping = clock.every(pingMs, () => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  });
  // Frames that are too large or no WebSocket frames; ws closes the socket with the right code by itself.
  socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) =>
        new Promise<void>((resolve, reject) => {
          if (socket.readyState !== socket.OPEN) return resolve();
          if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
            socket.terminate();
            return resolve();
          }
          // A failed send means that the client is gone, which `close` tells.
          socket.send(data, (error) => (error && socket.readyState === socket.OPEN ? reject(error) : resolve()));
        }),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (handle) =>
        socket.on('message', (data) => {
          handle(String(data)).catch((error: unknown) => {
            log.error({ err: error }, 'a socket message could not be handled');
            socket.close(INTERNAL, 'Internal server error');
          });
        }),
    },
    extra,
  );
  socket.once('close', (code, reason) => {
    ping.cancel();
    closed(code, String(reason)).catch((error: unknown) => log.error({ err: error }, 'a socket did not close cleanly'));
  });
}
