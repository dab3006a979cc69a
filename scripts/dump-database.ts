import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../src/core/log.js';
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.js';
import { migrate } from '../src/store/migrate.js';
import { describeSchema } from './describe-schema.js';
import { writeOrCheck } from './generated-file.js';

/** The migrated schema of a throw-away database, as text. */
async function dump(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-dump-'));
  // As root the server runs as the OS user postgres, who has to get to its data.
  await chmod(home, 0o755);
  const log = createLog('error');
  try {
    const server = await startEmbeddedPostgres({ home, log, durable: false });
    try {
      await migrate(server.url, { log });
      return await describeSchema(server.url, 'sluice');
    } finally {
      await server.stop();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

const isFresh = await writeOrCheck([{ path: 'src/store/schema.sql', generate: dump }], process.argv);
process.exit(isFresh ? 0 : 1);
