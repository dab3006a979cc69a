import { beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { createLoadLedger } from '../../src/store/load-ledger.js';
import { type Pool, withTransaction } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { gate } from '../support/gate.js';

let pool: Pool;
beforeAll(async () => {
  ({ pool } = await emptyDatabase());
});
const ledger = createLoadLedger();

describe('what is withdrawn', () => {
  it('is not loaded by whoever comes late, nor forgotten, and is counted over all tries', async () => {
    const jobId = newId();
    const withdraw = (rows: number) =>
      withTransaction(pool, (client) => ledger.withdraw(client, jobId, 3, async () => rows));
    expect([await withdraw(5), await withdraw(0), await withdraw(2)]).toEqual([5, 5, 7]);
    await withTransaction(pool, (client) => ledger.forget(client, jobId));
    const late = [-1, 0, 1, 2].map((entry) =>
      withTransaction(pool, (client) =>
        ledger.once(client, jobId, entry, () => Promise.reject(new Error('loaded after all'))),
      ),
    );
    expect(await Promise.all(late)).toEqual(late.map(() => ({ rows: 0, recheck: null })));
  });

  it('waits for a part in hand, and sees what it has committed', async () => {
    const jobId = newId();
    await pool.query('create table if not exists loaded (row int)');
    const { wait, open, isReached } = gate();
    const loading = withTransaction(pool, (client) =>
      ledger.once(client, jobId, 0, async () => {
        await client.query('insert into loaded values (1)');
        await wait(new AbortController().signal);
        return { rows: 1, recheck: null };
      }),
    );
    await isReached;
    const withdrawal = withTransaction(pool, (client) =>
      ledger.withdraw(client, jobId, 1, async () => (await client.query('delete from loaded')).rowCount ?? 0),
    );
    open();
    await loading;
    expect(await withdrawal).toBe(1);
  });
});

describe('the ledger in a database that is not its own', () => {
  it('is made once by many who need it first at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      await pool.query('drop schema if exists sluice_ledger cascade');
      const jobId = newId();
      const rows = await Promise.all(
        Array.from({ length: 6 }, (_, entry) =>
          withTransaction(pool, (client) =>
            ledger.once(client, jobId, entry, async () => ({ rows: entry, recheck: null })),
          ),
        ),
      );
      expect(rows.map((loaded) => loaded.rows)).toEqual([0, 1, 2, 3, 4, 5]);
    }
  });
});
