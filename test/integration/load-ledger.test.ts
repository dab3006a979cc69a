import { beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { createLoadLedger } from '../../src/store/load-ledger.js';
import { type Pool, withTransaction } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';

let pool: Pool;
beforeAll(async () => {
  ({ pool } = await emptyDatabase());
});
const ledger = createLoadLedger();

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
