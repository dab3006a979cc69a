import { sleep } from '../../core/clock.js';
import { type Server, ServerEnded, type ServerOptions, startServer } from './server.js';

// So that a server which dies at once does not keep a processor busy.
const RESTART_PAUSE_MS = 100;

/** Tries again while the children of a killed server are there: they notice within moments that it is gone. */
export async function startPatiently(options: ServerOptions): Promise<Server> {
  for (let tries = 1; ; tries++) {
    try {
      return await startServer(options);
    } catch (error) {
      const hasChildren = error instanceof ServerEnded && error.log.includes('pre-existing shared memory block');
      if (!hasChildren || tries === 50) throw error;
      await sleep(options.clock, 200);
    }
  }
}

/**
 * Starts the server again whenever it ends without having been asked to (kill -9, out of memory), on the port that our
 * callers know; what was committed is there again after its recovery.
 */
export function supervise(options: ServerOptions, first: Server): { current(): Server; stop(): Promise<void> } {
  const { clock, log } = options;
  let server = first;
  let isStopping = false;
  const watch = async () => {
    for (;;) {
      await server.gone;
      if (isStopping) return;
      await sleep(clock, RESTART_PAUSE_MS);
      if (isStopping) return;
      server = await startPatiently(options);
      if (isStopping) return;
      log.warn({ pid: server.pid }, 'the embedded PostgreSQL runs again');
    }
  };
  const watching = watch().catch((error: unknown) => {
    log.error({ error: String(error) }, 'the embedded PostgreSQL could not be started again: restart Sluice');
  });
  return {
    current: () => server,
    async stop() {
      isStopping = true;
      await server.stop();
      // A restart may be under way: its server is the last one to stop.
      await watching;
      await server.stop();
    },
  };
}
