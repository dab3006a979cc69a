import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Escalation } from '../../escalation/escalation.js';
import { type Clock, systemClock } from '../../src/core/clock.js';
import { anEscalationDesk, as, done, type EscalationDesk, seen } from '../support/escalation-desk.js';
import { eventually } from '../support/eventually.js';
import { status } from '../support/webhook-receiver.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HANDOVER = { code: 'UNAVAILABLE', failureClass: 'TRANSIENT', details: { origin: 'hook' } } as const;
/** What the time of a row may be off by, for the machine is slow at times: far less than what is at stake. */
const SLACK = MINUTE;

const clockOff = (ms: number): Clock => ({ ...systemClock, now: () => new Date(systemClock.now().getTime() + ms) });

let desk: EscalationDesk;
beforeAll(async () => {
  desk = await anEscalationDesk();
});
afterEach(async () => {
  await desk.rest();
  await desk.pool.query('delete from sluice.agent_contact; delete from sluice.notification');
});

const databaseMs = async () => (await desk.options.escalations.now()).getTime();
const leftMs = async ({ state }: Escalation) => (state.dueAt?.getTime() ?? 0) - (await databaseMs());

/** Some that have to be moved now and some that must not, with engines of these clocks. */
async function expectOneStepEach(clocks: readonly Clock[]): Promise<void> {
  await desk.engine();
  const opened = await Promise.all(Array.from({ length: 12 }, () => desk.opened(HANDOVER)));
  await desk.rest();
  for (const clock of clocks) await desk.engine({ clock });
  const [late, patient] = [opened.slice(0, 8), opened.slice(8)];
  // Due in ten minutes is not due, whatever a clock says that is an hour ahead.
  for (const { id } of patient) await desk.moveDue(id, 10 * MINUTE);
  for (const { id } of late) await desk.moveDue(id, -1);
  await eventually(async () =>
    (await Promise.all(late.map(({ id }) => desk.get(id)))).every(({ version }) => version > 1),
  );
  for (const { id } of late) {
    const moved = await desk.get(id);
    expect(moved).toMatchObject({ version: 2, state: { step: 1, asked: ['domain-3'] } });
    expect(Math.abs((await leftMs(moved)) - 30 * MINUTE)).toBeLessThan(SLACK);
    expect(await desk.notified({ id })).toEqual(['ASK layer-20', 'ASK domain-3']);
  }
  for (const { id } of patient) expect(await desk.get(id)).toMatchObject({ version: 1, state: { step: 0 } });
}

describe.each([
  ['an hour ahead', HOUR],
  ['an hour behind', -HOUR],
])('a process whose clock is %s', (_what, offMs) => {
  const wrong = clockOff(offMs);

  it('moves ladders when they are due, neither early nor late', () => expectOneStepEach([wrong]));

  it('and one whose clock is right move each ladder once', () => expectOneStepEach([wrong, systemClock]));

  it('opens with the whole wait, and lets claims and snoozes last as long as they are said to', async () => {
    await desk.engine({ clock: wrong });
    const opened = await desk.opened(HANDOVER);
    expect(Math.abs((await leftMs(opened)) - 30 * MINUTE)).toBeLessThan(SLACK);
    const claimed = done(await desk.service.claim(as('layer-20'), seen(opened), 10 * MINUTE));
    expect(Math.abs((await leftMs(claimed)) - 10 * MINUTE)).toBeLessThan(SLACK);
    expect((await desk.pass(claimed)).state).toMatchObject({ status: 'ASKING', asked: ['domain-3'] });
  });

  it('signs webhooks with the time of the database, and receivers believe it', async () => {
    const receiver = await desk.receiver('layer-20');
    await desk.engine({ clock: wrong });
    await desk.deliverer({ clock: wrong });
    const before = await databaseMs();
    const opened = await desk.opened(HANDOVER);
    await eventually(() => receiver.calls.length === 1);
    const [call] = receiver.calls;
    expect(call).toMatchObject({ isVerified: true, message: { data: { escalationId: opened.id } } });
    const signedMs = Number(call?.headers['webhook-timestamp']) * 1_000;
    // The header has whole seconds.
    expect(signedMs).toBeGreaterThan(before - 1_000);
    expect(signedMs).toBeLessThanOrEqual(await databaseMs());
    expect(call?.message).toMatchObject({ data: { dueAt: opened.state.dueAt?.toISOString() } });
  });

  it('waits as long as an answer wants, when that names a date', async () => {
    const receiver = await desk.receiver('layer-20');
    receiver.answer((call, response) => {
      const date = new Date(systemClock.now().getTime() + 2 * MINUTE);
      status(503, { 'retry-after': date.toUTCString() })(call, response);
    });
    await desk.engine({ clock: wrong });
    await desk.deliverer({ clock: wrong });
    const opened = await desk.opened(HANDOVER);
    const waitS = () =>
      desk.column(
        `select extract(epoch from due_at - statement_timestamp())::float8 from sluice.notification
         where escalation_id = $1 and attempt = 1`,
        [opened.id],
      );
    await eventually(async () => (await waitS()).length === 1);
    const [waited] = await waitS();
    expect(waited).toBeGreaterThan(60);
    expect(waited).toBeLessThanOrEqual(122);
  });
});
