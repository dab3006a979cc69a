import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { appendToLog, hashOf, type NewLogEntry } from '../../src/store/escalation-log.js';
import { createEscalationLogStore } from '../../src/store/escalation-log-store.js';
import { migrate, readMigrations } from '../../src/store/migrate.js';
import { type Pool, withTransaction } from '../../src/store/pool.js';
import { emptyDatabase, freshDatabase } from '../support/database.js';

const TENANT = 'default';
let pool: Pool;
beforeAll(async () => {
  ({ pool } = await freshDatabase());
});
beforeEach(() => tampering('truncate sluice.escalation_log, sluice.escalation_log_head'));

const entry = (n: number) => ({
  escalationId: newId(),
  kind: 'COMMENT',
  actor: 'layer-20',
  agents: ['chief-2', 'agent-0'],
  status: 'ASKING' as const,
  // What a round trip through jsonb could change: order of keys, numbers, characters.
  data: { z: n, a: { '10': 1.5e300, '9': -0.1 }, text: 'ä "\u2028" \\ 😀', none: null, list: [true, [{}]] },
});
/** About no escalation. */
const ofPolicy = (n: number): NewLogEntry => ({ ...entry(n), escalationId: null, kind: 'POLICY_SAVED', status: null });
const append = (...entries: NewLogEntry[]) => withTransaction(pool, (client) => appendToLog(client, TENANT, entries));

/** Changes rows as somebody would who owns the database and knows of the trigger. */
async function tampering(sql: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query(
      `alter table sluice.escalation_log disable trigger user; ${sql}; alter table sluice.escalation_log enable trigger user`,
    );
  } finally {
    client.release();
  }
}

const verify = () => createEscalationLogStore(pool).verify(TENANT);

describe('the log of escalations', () => {
  it('is whole when nobody touched it, also when it is empty', async () => {
    expect(await verify()).toBeNull();
    await append(entry(1), entry(2));
    await append(entry(3));
    expect(await verify()).toBeNull();
  });

  it('chains rows about policies as it does those about escalations', async () => {
    await append(entry(1), ofPolicy(2), entry(3));
    expect(await verify()).toBeNull();
    await tampering(`update sluice.escalation_log set escalation_id = gen_random_uuid() where seq = 2`);
    expect(await verify()).toMatchObject({ seq: 2, problem: expect.stringContaining('changed') });
  });

  it('is whole after a migration, with rows that were written before it', async () => {
    const { url, pool: old } = await emptyDatabase();
    const log = createLog('silent');
    await migrate(url, { log, migrations: (await readMigrations()).slice(0, 4) });
    const add = (...entries: NewLogEntry[]) => withTransaction(old, (client) => appendToLog(client, TENANT, entries));
    await add(entry(1), entry(2));
    const hashes = async () => (await createEscalationLogStore(old).readAfter(TENANT, 0, 2)).map(({ hash }) => hash);
    const before = await hashes();
    await migrate(url, { log });
    await add(ofPolicy(3), entry(4));
    expect(await createEscalationLogStore(old).verify(TENANT)).toBeNull();
    expect(await hashes()).toEqual(before);
  });

  it('hashes a row in the one way in which rows were ever hashed', () => {
    const at = new Date('2026-11-23T09:30:00.123Z');
    const data = { step: 0, comment: 'ä', nested: { b: 1, a: null } };
    const escalationId = '01931c00-0000-7000-8000-00000000000e';
    const row = { tenant: TENANT, seq: 2, escalationId, at, kind: 'DECIDE', actor: 'chief-2', agents: ['agent-0'] };
    expect(hashOf({ ...row, status: 'DECIDED', data, prevHash: 'p' })).toBe(
      '142d79e5d7dae64cecf6d84302ec879704cd6bd6cf317d309f91225d5e510e00',
    );
  });

  it('has no gap and one order, whoever writes at once', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => append(...Array.from({ length: (n % 3) + 1 }, () => entry(n)))),
    );
    const rows = await createEscalationLogStore(pool).readAfter(TENANT, 0, 1_000);
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => i + 1));
    expect(rows).toHaveLength(79);
    expect(await verify()).toBeNull();
  });

  it('keeps what was rolled back out, without a gap', async () => {
    await append(entry(1));
    const failed = withTransaction(pool, async (client) => {
      await appendToLog(client, TENANT, [entry(2)]);
      throw new Error('on purpose');
    });
    await expect(failed).rejects.toThrow('on purpose');
    await append(entry(3));
    const rows = await createEscalationLogStore(pool).readAfter(TENANT, 0, 10);
    expect(rows.map(({ seq, data }) => [seq, data.z])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(await verify()).toBeNull();
  });

  it('cannot be changed by a statement', async () => {
    await append(entry(1));
    await expect(pool.query(`update sluice.escalation_log set actor = 'nobody'`)).rejects.toThrow(/append-only/);
    await expect(pool.query('delete from sluice.escalation_log')).rejects.toThrow(/append-only/);
  });

  it.each([
    ['actor', `actor = 'agent-0'`],
    ['kind', `kind = 'DECIDE'`],
    ['status', `status = 'HELD'`],
    ['agents', `agents = '{agent-0,chief-2}'`],
    ['time', `at = at + interval '1 ms'`],
    ['data', `data = jsonb_set(data, '{a,9}', '0')`],
    ['escalation', `escalation_id = '00000000-0000-0000-0000-000000000000'`],
    ['hash', `hash = md5(hash)`],
  ])('tells that the %s of a row was changed', async (_what, change) => {
    for (const n of [1, 2, 3]) await append(entry(n));
    await tampering(`update sluice.escalation_log set ${change} where seq = 2`);
    expect(await verify()).toMatchObject({ seq: 2, problem: expect.stringContaining('changed') });
  });

  it('tells of a row that is missing, in the middle and at the end', async () => {
    for (const n of [1, 2, 3]) await append(entry(n));
    await tampering('delete from sluice.escalation_log where seq = 2');
    expect(await verify()).toEqual({ seq: 2, problem: 'The row is missing.' });
    await tampering('truncate sluice.escalation_log, sluice.escalation_log_head');
    for (const n of [1, 2, 3]) await append(entry(n));
    await tampering('delete from sluice.escalation_log where seq = 3');
    expect(await verify()).toEqual({ seq: 3, problem: 'The row is missing.' });
  });

  it('tells of rows that changed places', async () => {
    for (const n of [1, 2, 3]) await append(entry(n));
    await tampering(`update sluice.escalation_log set seq = 99 where seq = 1;
      update sluice.escalation_log set seq = 1 where seq = 2; update sluice.escalation_log set seq = 2 where seq = 99`);
    expect(await verify()).toMatchObject({ seq: 1 });
  });

  it('tells of a row that was put in, and of an end that was cut off with its head', async () => {
    for (const n of [1, 2]) await append(entry(n));
    await tampering(`insert into sluice.escalation_log select tenant, 3, escalation_id, at, kind, actor, agents, status,
      data, hash, md5(hash) from sluice.escalation_log where seq = 2`);
    expect(await verify()).toMatchObject({ seq: 3 });
    await tampering(`delete from sluice.escalation_log where seq > 1;
      update sluice.escalation_log_head set seq = 1`);
    expect(await verify()).toMatchObject({ seq: 1, problem: expect.stringContaining('does not end') });
  });

  it('is followed page by page', async () => {
    await append(...Array.from({ length: 2_300 }, (_, n) => entry(n)));
    expect(await verify()).toBeNull();
    await tampering(`update sluice.escalation_log set actor = 'x' where seq = 2200`);
    expect(await verify()).toMatchObject({ seq: 2_200 });
  });
});
