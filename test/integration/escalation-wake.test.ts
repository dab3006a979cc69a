import { expect, it } from 'vitest';
import { createFeed } from '../../escalation/feed.js';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { createPostgresBus } from '../../src/messaging/postgres-bus.js';
import { appendToLog } from '../../src/store/escalation-log.js';
import { createEscalationLogStore } from '../../src/store/escalation-log-store.js';
import { createEscalationWake } from '../../src/store/escalation-wake.js';
import { withTransaction } from '../../src/store/pool.js';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ManualClock } from '../support/manual-clock.js';

const log = createLog('silent');

it('reaches the readers of every tenant after words may have been lost', async () => {
  const { url, pool } = await freshDatabase();
  const bus = await createPostgresBus({ url, pool, clock: systemClock, log });
  try {
    const entries = createEscalationLogStore(pool);
    let reads = 0;
    const counted = {
      ...entries,
      readAfter(...asked: Parameters<typeof entries.readAfter>) {
        reads += 1;
        return entries.readAfter(...asked);
      },
    };
    // Time stands still, so that nobody polls: only a word makes a reader look.
    const feed = createFeed({ entries: counted, wake: createEscalationWake(bus), clock: new ManualClock(), log });
    const tenants = ['default', 'other'];
    const readers = tenants.map((tenant) =>
      feed.watch(tenant, {}, 0, new AbortController().signal)[Symbol.asyncIterator](),
    );
    const told = readers.map((reader) => reader.next());
    await eventually(() => reads === tenants.length);

    for (const tenant of tenants) {
      await withTransaction(pool, (client) =>
        appendToLog(client, tenant, [
          { escalationId: newId(), kind: 'COMMENT', actor: 'layer-20', agents: [], status: 'ASKING', data: {} },
        ]),
      );
    }
    await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'sluice bus' and datname = current_database()`,
    );
    for (const [i, reader] of told.entries()) {
      expect(await reader).toMatchObject({ done: false, value: { tenant: tenants[i], seq: 1 } });
    }
    await Promise.all(readers.map((reader) => reader.return?.()));
  } finally {
    await bus.close();
  }
});
