import { createTransport } from 'nodemailer';
import type { ContactStore, Delivery, Notification, Notifier } from '../ports.js';
import type { RateLimit } from '../rate-limit.js';
import { type MessageContext, messageOf, type NotificationMessage } from './message.js';

export interface EmailOptions extends MessageContext {
  readonly contacts: Pick<ContactStore, 'find'>;
  /** `smtp://` or `smtps://` with user, password, host and port. */
  readonly smtpUrl: string;
  readonly from: string;
  /** Per domain of the address. */
  readonly limit: RateLimit;
}

const CONNECT_MS = 5_000;
const SILENCE_MS = 9_000;

/** EMAIL: a plain text mail over SMTP. Every try has the same Message-ID, by which mail systems drop repetitions. */
export function createEmailNotifier(options: EmailOptions): Notifier {
  const { contacts, smtpUrl, from, limit } = options;
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  async function deliver(notification: Notification): Promise<Delivery> {
    const found = await contacts.find(notification.tenant, notification.agent, 'EMAIL');
    if (!found) return { kind: 'UNREACHABLE', reason: 'the agent has no email address' };
    if (!found.contact.isEnabled) return { kind: 'UNREACHABLE', reason: 'the email address is disabled' };
    const { address } = found.contact;
    const afterMs = limit.take(domainOf(address));
    if (afterMs > 0) return { kind: 'LATER', afterMs };
    const message = await messageOf(notification, options);
    try {
      await transport.sendMail({
        from,
        to: { name: '', address },
        subject: subjectOf(message),
        text: textOf(message),
        messageId: `<${notification.id}@${domainOf(from)}>`,
        date: notification.createdAt,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      return { kind: 'DELIVERED' };
    } catch (error) {
      return failed(error);
    }
  }

  return { channel: 'EMAIL', deliver };
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/**
 * A 5xx answer about this mail will not change; 4xx answers, a server that is down and a password that it does not
 * take are matters of the server.
 */
function failed(error: unknown): Delivery {
  const { code, responseCode } = (error instanceof Error ? error : {}) as { code?: string; responseCode?: number };
  const reason = `the mail server ${responseCode === undefined ? `failed: ${code ?? 'unknown error'}` : `answered ${responseCode}`}`;
  const isAboutTheMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (isAboutTheMail && responseCode !== undefined && responseCode >= 500) return { kind: 'REFUSED', reason };
  return { kind: 'RETRY', reason, afterMs: null };
}

const LONGEST_SUBJECT = 200;

function subjectOf({ type, data }: NotificationMessage): string {
  const purpose = type === 'escalation.asked' ? 'Decision needed' : 'For your information';
  return `[Sluice] ${purpose}: ${data.title.replace(/\s+/g, ' ')}`.slice(0, LONGEST_SUBJECT);
}

function textOf({ type, data }: NotificationMessage): string {
  const lines: [string, string | null][] = [
    ['Class', data.failureClass],
    ['Pipeline', data.pipeline],
    ['Job', data.jobId],
    ['Target', data.target],
    ['Owner', data.owner],
    ['Occurrences', String(data.occurrences)],
    ['Escalation', `${data.escalationId} (version ${data.version}, ${data.status})`],
    ['Step', `${data.step + 1}, round ${data.round + 1}`],
    ['Moves on', data.dueAt],
    ['Verdicts', data.allowedVerdicts.join(', ') || null],
    ['Evidence', data.evidenceHash],
    ['API', data.apiUrl],
  ];
  const facts = lines.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  const first =
    type === 'escalation.asked'
      ? `${data.agent} is asked to decide. Acknowledge the escalation or submit a verdict through the API.`
      : `${data.agent} is told of an escalation; no answer is needed.`;
  return [data.title, '', first, '', ...facts, ''].join('\n');
}
