import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEmailNotifier } from '../../../../escalation/notifiers/email.js';
import { createRateLimit } from '../../../../escalation/rate-limit.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { aNotification, anEscalation, memoryContacts, policies } from '../../../support/notification.js';
import { startSmtpServer, type TestSmtpServer } from '../../../support/smtp-server.js';

const { signal } = new AbortController();
let server: TestSmtpServer;
beforeEach(async () => {
  server = await startSmtpServer();
});
afterEach(() => server.close());

function aNotifier({ burst = 10 } = {}) {
  const contacts = memoryContacts();
  contacts.add('chief-2', 'EMAIL', 'chief@example.org');
  const notifier = createEmailNotifier({
    contacts,
    policies,
    apiUrl: null,
    smtpUrl: server.url,
    from: 'sluice@example.org',
    limit: createRateLimit({ perSecond: 1, burst, clock: new ManualClock() }),
  });
  return { contacts, deliver: (notification = aNotification()) => notifier.deliver(notification, signal) };
}

describe('an email', () => {
  it('says what failed, what may be decided and where', async () => {
    const notification = aNotification();
    expect(await aNotifier().deliver(notification)).toEqual({ kind: 'DELIVERED' });
    const [mail] = server.mails;
    expect(mail?.to).toEqual(['chief@example.org']);
    expect(mail?.raw).toContain(`Message-ID: <${notification.id}@example.org>`);
    expect(mail?.raw).toContain('Subject: [Sluice] Decision needed: orders: the target drifted');
    expect(mail?.raw).toContain(`Escalation: ${notification.escalation.id} (version 4, ASKING)`);
    expect(mail?.raw).toContain('Verdicts: RETRY, ABORT');
  });

  it('has the same Message-ID in every try', async () => {
    const notification = aNotification();
    const { deliver } = aNotifier();
    await deliver(notification);
    await deliver({ ...notification, attempt: 1 });
    const ids = server.mails.map(({ raw }) => /^Message-ID: (.*)$/m.exec(raw)?.[1]);
    expect(ids[0]).toBe(ids[1]);
    expect(ids).toHaveLength(2);
  });

  it('takes no headers from a title', async () => {
    const escalation = anEscalation({ title: 'orders\r\nBcc: eve@example.org' });
    expect(await aNotifier().deliver(aNotification({ escalation }))).toEqual({ kind: 'DELIVERED' });
    expect(server.mails[0]?.to).toEqual(['chief@example.org']);
    expect(server.mails[0]?.raw.split(/\r?\n\r?\n/)[0]).not.toMatch(/^Bcc:/m);
  });

  it('is tried again when the server is down, and when it answers 4xx', async () => {
    const { deliver } = aNotifier();
    server.refuseRecipients(451);
    expect(await deliver()).toEqual({ kind: 'RETRY', reason: 'the mail server answered 451', afterMs: null });
    const { port } = server;
    await server.close();
    expect(await deliver()).toMatchObject({ kind: 'RETRY', reason: 'the mail server failed: ESOCKET' });
    server = await startSmtpServer(port);
    expect(await deliver()).toEqual({ kind: 'DELIVERED' });
  });

  it('is refused when the server answers 5xx', async () => {
    server.refuseRecipients(550);
    expect(await aNotifier().deliver()).toEqual({ kind: 'REFUSED', reason: 'the mail server answered 550' });
  });

  it('is not sent to an agent without an address or with a disabled one', async () => {
    const { deliver, contacts } = aNotifier();
    expect(await deliver(aNotification({ agent: 'layer-20' }))).toMatchObject({ kind: 'UNREACHABLE' });
    await contacts.disable('default', 'chief-2', 'EMAIL', 'test');
    expect(await deliver()).toMatchObject({ kind: 'UNREACHABLE' });
  });

  it('to a domain that has had enough is sent later', async () => {
    const { deliver } = aNotifier({ burst: 1 });
    await deliver();
    expect(await deliver()).toEqual({ kind: 'LATER', afterMs: 1_000 });
    expect(server.mails).toHaveLength(1);
  });
});
