// A process of its own that holds an embedded Postgres, for tests that kill it. Prints what it got as JSON, one line.
import { createLog } from '../../src/core/log.js';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';

const home = process.argv[2] ?? '';
try {
  const server = await startEmbeddedPostgres({ home, log: createLog('silent') });
  const signalListeners = process.listenerCount('SIGTERM');
  process.once('SIGTERM', () => void server.stop().then(() => process.exit(7)));
  // Only now: whoever reads it may send the signal at once.
  console.log(JSON.stringify({ url: server.url, pid: server.pid, signalListeners }));
  // Stands for a gateway that listens: keeps the process alive.
  process.stdin.resume();
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
}
