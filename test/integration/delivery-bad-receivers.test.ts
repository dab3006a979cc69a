import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { nextTryMs } from '../../escalation/delivery-schedule.js';
import { createEscalationLogStore } from '../../src/store/escalation-log-store.js';
import { deliveryDesk, isDelivered } from '../support/delivery-desk.js';
import { eventually } from '../support/eventually.js';
import { startWebhookReceiver, status } from '../support/webhook-receiver.js';

// Receivers that are not there, slow or wrong: an agent is reached in another way or later, and nothing is lost.

const desk = deliveryDesk();
const { ask, row, makeDue, aProcess, until, emailOf, webhookOf } = desk;

const isDead = ({ state }: { readonly state: string }) => state === 'DEAD';
/** The waits of the schedule, without luck: as the processes of these tests are. */
const waitS = (attempt: number, hasAnother: boolean) =>
  (nextTryMs({ attempt, hasAnother, afterMs: null, random: () => 0 }) ?? Number.NaN) / 1_000;

/** What the log says of a notification. */
const logged = async (id: string | undefined) =>
  (await createEscalationLogStore(desk.pool).ofEscalation('default', (await row(id)).escalation_id)).map(
    ({ kind, agents, data: { channel, reason } }) => ({ kind, agents, channel, reason }),
  );

/** Something that takes connections and does with them what the test says; ended after the test. */
async function aServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  desk.running.push({
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  // Listening on TCP, so its address is no path.
  return (server.address() as AddressInfo).port;
}

/** A port of this machine at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a webhook that answers 500 for an hour', () => {
  it('is tried as the schedule says, and then the agent gets an email', async () => {
    await emailOf('chief-2');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL', 'FEED'] });
    desk.receiver.answer(status(500));
    const { wake } = await aProcess();
    for (let attempt = 1; attempt < 8; attempt += 1) {
      await until(id, (found) => found.attempt === attempt);
      const { due_in_s, last_error } = await row(id);
      expect(last_error).toBe('WEBHOOK: it answered 500');
      expect(due_in_s).toBeLessThanOrEqual(waitS(attempt, true));
      await makeDue(id);
      wake();
    }
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'EMAIL' });
    expect(desk.receiver.calls.map((call) => call.id)).toEqual(Array(8).fill(id));
    expect(desk.mailServer.mails).toMatchObject([{ to: ['chief-2@example.org'] }]);
    expect(await logged(id)).toEqual([{ kind: 'DELIVERED', agents: ['chief-2'], channel: 'EMAIL', reason: undefined }]);
  });

  it('and is the only way, is tried for longer than that; then the notification is dead until it is redelivered', async () => {
    const [id] = await ask();
    desk.receiver.answer(status(500));
    const { wake } = await aProcess();
    let waitedS = 0;
    for (let attempt = 1; attempt < 40; attempt += 1) {
      await until(id, (found) => found.attempt === attempt);
      expect((await row(id)).due_in_s).toBeLessThanOrEqual(waitS(attempt, false));
      waitedS += waitS(attempt, false);
      await makeDue(id);
      wake();
    }
    expect(waitedS).toBeGreaterThan(3_600);
    await until(id, isDead);
    const dead = { kind: 'UNDELIVERABLE', agents: ['chief-2'], reason: 'WEBHOOK: it answered 500' };
    expect(await logged(id)).toEqual([{ ...dead, channel: undefined }]);
    // Nobody calls any more.
    expect(desk.receiver.calls).toHaveLength(40);
    expect(await desk.outbox.nextDueMs()).toBeNull();

    desk.receiver.answer(status(204));
    expect(await desk.outbox.redeliver('default', (await row(id)).escalation_id)).toBe(1);
    wake();
    await until(id, isDelivered);
    expect(new Set(desk.receiver.calls.map((call) => call.id))).toEqual(new Set([id]));
    expect((await logged(id)).map(({ kind }) => kind)).toEqual(['UNDELIVERABLE', 'DELIVERED']);
  });
});

describe('a webhook', () => {
  it('at which nobody listens is tried again, and is called when somebody does', async () => {
    const [id] = await ask();
    await webhookOf('chief-2', `http://127.0.0.1:${await deadPort()}/hook`);
    const { wake } = await aProcess();
    await until(id, ({ attempt }) => attempt === 1);
    expect(await row(id)).toMatchObject({
      state: 'PENDING',
      last_error: 'WEBHOOK: it could not be reached: ECONNREFUSED',
    });
    await webhookOf('chief-2', desk.receiver.url);
    await makeDue(id);
    wake();
    await until(id, isDelivered);
  });

  it.each([
    ['without a word', () => undefined],
    ['with half of a header', (socket: Socket) => void socket.write('HTTP/1.1 20')],
  ])('that stays silent, %s, is given up when its time is over, and its connection is closed', async (_how, answer) => {
    const [id] = await ask();
    let closed = 0;
    const port = await aServer((socket) => {
      socket.on('close', () => {
        closed += 1;
      });
      answer(socket);
    });
    await webhookOf('chief-2', `http://127.0.0.1:${port}/hook`);
    await aProcess({ timeoutMs: 200 });
    await until(id, ({ attempt }) => attempt === 1);
    expect((await row(id)).last_error).toMatch(/^WEBHOOK: (it did not answer in time|no answer within 200 ms)$/);
    await eventually(() => closed === 1);
  });

  it('that speaks another protocol is tried again', async () => {
    const [id] = await ask();
    const port = await aServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    await webhookOf('chief-2', `http://127.0.0.1:${port}/hook`);
    await aProcess();
    await until(id, ({ attempt }) => attempt === 1);
    expect((await row(id)).last_error).toBe('WEBHOOK: it could not be reached: HTTPParserError');
  });

  it.each([
    ['of this machine', undefined],
    ['of a cloud', 'http://169.254.169.254/latest/meta-data'],
    ['of the network', 'http://10.0.0.1/'],
    ['of another protocol', 'file:///etc/passwd'],
  ])('that redirects to an address %s is not followed: nobody else is called', async (_what, location) => {
    const other = await startWebhookReceiver(desk.secret);
    desk.running.push(other);
    const [id] = await ask();
    desk.receiver.answer(status(302, { location: location ?? other.url }));
    await aProcess();
    await until(id, isDead);
    expect((await row(id)).last_error).toBe('WEBHOOK: it answered 302, and redirects are not followed');
    expect(desk.receiver.calls).toHaveLength(1);
    expect(other.calls).toEqual([]);
  });

  it('that is gone is told to whoever looks, and is called again once it is saved anew', async () => {
    const [id] = await ask();
    desk.receiver.answer(status(410));
    const { wake } = await aProcess();
    await until(id, isDead);
    expect((await row(id)).last_error).toBe('WEBHOOK: it answered 410 and is disabled');
    expect(await desk.contacts.list('default')).toMatchObject([
      { agent: 'chief-2', isEnabled: false, disabledReason: 'it answered 410 Gone' },
    ]);
    desk.receiver.answer(status(200));
    await webhookOf('chief-2', desk.receiver.url);
    expect(await desk.contacts.list('default')).toMatchObject([{ isEnabled: true, disabledReason: null }]);
    await desk.outbox.redeliver('default', (await row(id)).escalation_id);
    wake();
    await until(id, isDelivered);
  });

  it.each([429, 503])('that wants an hour of quiet by %i is passed over for another channel', async (code) => {
    await emailOf('chief-2');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    desk.receiver.answer(status(code, { 'retry-after': '3600' }));
    await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'EMAIL' });
    expect(desk.receiver.calls).toHaveLength(1);
  });
});

describe('a mail server', () => {
  it('that refuses the recipient is asked once, and the next channel is taken', async () => {
    await emailOf('layer-20');
    desk.mailServer.refuseRecipients(550);
    const [id, other] = [
      ...(await ask({ agent: 'layer-20', channels: ['EMAIL', 'FEED'] })),
      ...(await ask({ agent: 'layer-20', channels: ['EMAIL'] })),
    ];
    await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'FEED' });
    await until(other, isDead);
    expect((await row(other)).last_error).toBe('EMAIL: the mail server answered 550');
    expect(desk.mailServer.mails).toEqual([]);
  });

  it('that has no time for the recipient gets the mail later', async () => {
    await emailOf('layer-20');
    desk.mailServer.refuseRecipients(451);
    const [id] = await ask({ agent: 'layer-20', channels: ['EMAIL'] });
    const { wake } = await aProcess();
    await until(id, ({ attempt }) => attempt === 1);
    expect((await row(id)).last_error).toBe('EMAIL: the mail server answered 451');
    desk.mailServer.refuseRecipients(null);
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(desk.mailServer.mails).toHaveLength(1);
  });

  it.each([
    ['is down', deadPort],
    ['takes the connection and never says a word', () => aServer(() => undefined)],
    ['greets and then hangs', () => aServer((socket) => void socket.write('220 mail.example.org ESMTP\r\n'))],
  ])('that %s costs a try, and the agent is reached by the next channel in the end', async (_how, start) => {
    await emailOf('layer-20');
    const [id] = await ask({ agent: 'layer-20', channels: ['EMAIL', 'FEED'] });
    const { wake } = await aProcess({ timeoutMs: 100 }, { smtpUrl: `smtp://127.0.0.1:${await start()}` });
    await until(id, ({ attempt }) => attempt === 1);
    expect(await row(id)).toMatchObject({
      state: 'PENDING',
      last_error: expect.stringMatching(/^EMAIL: (the mail server failed: ESOCKET|no answer within 100 ms)$/),
    });
    // The last try before another channel is taken.
    await desk.pool.query('update sluice.notification set attempt = 7 where id = $1', [id]);
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'FEED' });
  });
});
