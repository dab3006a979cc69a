import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { anEscalationDesk, as, done, type EscalationDesk, seen, TENANT } from '../support/escalation-desk.js';
import { eventually } from '../support/eventually.js';
import { actionsOf } from '../support/held-job.js';
import { type OwnServer, ownServer } from '../support/own-server.js';

let server: OwnServer;
let desk: EscalationDesk;
beforeAll(async () => {
  server = await ownServer();
  desk = await anEscalationDesk({ database: server });
}, 60_000);
afterEach(() => desk.rest());

const HANDOVER = { code: 'UNAVAILABLE', failureClass: 'TRANSIENT', details: { origin: 'hook' } } as const;

/** What is not to be seen before the database is back again. */
const whenBack = (condition: () => Promise<boolean>) => eventually(() => condition().catch(() => false), 30_000);

const WAITING = `from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

/**
 * Holds a lock that `work` comes to in the middle of its transaction, and takes the database away while it waits there.
 * @param how the server is killed, and comes back; or it lives and closes the connections
 */
async function interrupting(
  how: 'restarted' | 'terminated',
  lock: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  await client.query(lock);
  await work();
  await eventually(async () => (await client.query(`select 1 ${WAITING}`)).rows.length > 0);
  if (how === 'restarted') server.kill();
  else {
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
    await client.query('rollback');
  }
  await client.end().catch(() => undefined);
}

const LOG_HEAD = 'select 1 from sluice.escalation_log_head for update';

describe.each(['restarted', 'terminated'] as const)('while the database is %s', (how) => {
  it('in the middle of a step, each ladder moves by one, once, and the log stays whole', async () => {
    await desk.engine();
    await desk.engine();
    const opened = await Promise.all(Array.from({ length: 6 }, () => desk.opened(HANDOVER)));
    await interrupting(how, LOG_HEAD, () => Promise.all(opened.map(({ id }) => desk.moveDue(id, -1))));
    await whenBack(async () =>
      (await Promise.all(opened.map(({ id }) => desk.get(id)))).every(({ version }) => version > 1),
    );
    for (const { id } of opened) {
      expect(await desk.get(id)).toMatchObject({ version: 2, state: { step: 1, asked: ['domain-3'] } });
      expect(await desk.notified({ id })).toEqual(['ASK layer-20', 'ASK domain-3']);
      expect((await desk.logOf({ id })).map(({ kind }) => kind)).toEqual(['OPEN', 'DUE']);
    }
    expect(await desk.service.verifyLog(TENANT)).toBeNull();
    // And it goes on.
    expect((await desk.opened(HANDOVER)).state.status).toBe('ASKING');
  });

  it('in the middle of opening, the report opens one escalation', async () => {
    await desk.engine();
    await desk.engine();
    const pipeline = `interrupted-${newId()}`;
    await interrupting(how, LOG_HEAD, () => desk.report({ ...HANDOVER, pipeline }));
    await whenBack(async () => (await desk.of(pipeline)).length > 0);
    const [escalation, ...more] = await desk.of(pipeline);
    expect(more).toEqual([]);
    expect(escalation).toMatchObject({ occurrences: 1, state: { status: 'ASKING', asked: ['layer-20'] } });
    expect(await desk.notified({ id: escalation?.id ?? '' })).toEqual(['ASK layer-20']);
  });

  it('in the middle of a verdict, the job is released once', async () => {
    const { actions } = actionsOf(desk);
    await desk.engine({ jobActions: actions });
    const jobId = await desk.heldJob();
    const opened = await desk.opened({ jobId });
    const verdict = { kind: 'RETRY', patch: null, comment: null } as const;
    await interrupting(how, `select 1 from sluice.job where id = '${jobId}' for update`, async () =>
      done(await desk.service.submitVerdict(as('chief-2'), seen(opened), verdict)),
    );
    await whenBack(async () => (await desk.get(opened.id)).state.status === 'RESOLVED');
    expect(await desk.jobState(jobId)).toBe('QUEUED');
    expect(await desk.column('select outcome from sluice.verdict_effect where job_id = $1', [jobId])).toEqual([
      'APPLIED',
    ]);
    expect((await desk.events(jobId)).filter(({ message }) => message?.includes('decided RETRY'))).toHaveLength(1);
    expect((await desk.logOf(opened)).map(({ kind }) => kind)).toEqual(['OPEN', 'DECIDE', 'APPLIED']);
  });

  it('in the middle of a delivery, the agent gets the message once, or again under the same id', async () => {
    await desk.engine();
    const opened = await desk.opened(HANDOVER);
    await desk.pool.query('delete from sluice.notification where escalation_id <> $1', [opened.id]);
    const receiver = await desk.receiver('layer-20');
    // It has been called, and that it was is being stored.
    await interrupting(how, LOG_HEAD, () => desk.deliverer());
    const state = () => desk.column('select state from sluice.notification where escalation_id = $1', [opened.id]);
    await whenBack(async () => (await state())[0] === 'DELIVERED');
    expect(receiver.messages.size).toBe(1);
    expect((await desk.logOf(opened)).map(({ kind }) => kind)).toEqual(['OPEN', 'DELIVERED']);
  });
});
