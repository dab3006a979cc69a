import { Webhook } from 'standardwebhooks';
import { Agent, type Dispatcher, request } from 'undici';
import type { Log } from '../../src/core/log.js';
import { retryAfterMs } from '../../src/core/retry-after.js';
import {
  AddressRefused,
  type AddressRules,
  checkedLookup,
  hostOf,
  isAddress,
  type Resolve,
} from '../../src/core/safe-address.js';
import type { ContactStore, Delivery, Notification, Notifier } from '../ports.js';
import type { RateLimit } from '../rate-limit.js';
import { type MessageContext, messageOf } from './message.js';

export interface WebhookOptions extends MessageContext {
  readonly contacts: Pick<ContactStore, 'find' | 'disable'>;
  readonly rules: AddressRules;
  /** Per host and port of the URL. */
  readonly limit: RateLimit;
  readonly log: Log;
  /** How names become addresses; the system's way by default. */
  readonly resolve?: Resolve;
}

/** What is read of an answer's body, so that the connection can be used again; longer ones cost the connection. */
const MOST_BODY_BYTES = 64 * 1024;

/** WEBHOOK: a signed POST as the Standard Webhooks specification has it, to addresses that the rules allow. */
export function createWebhookNotifier(options: WebhookOptions): Notifier & { close(): Promise<void> } {
  const { contacts, rules, limit, log, resolve } = options;
  const dispatcher = new Agent({ connect: { lookup: checkedLookup(rules, resolve) } });

  async function deliver(notification: Notification, signal: AbortSignal): Promise<Delivery> {
    const { tenant, agent } = notification;
    const found = await contacts.find(tenant, agent, 'WEBHOOK');
    if (!found) return { kind: 'UNREACHABLE', reason: 'the agent has no webhook' };
    if (!found.contact.isEnabled) return { kind: 'UNREACHABLE', reason: 'the webhook is disabled' };
    if (found.secrets.length === 0) return { kind: 'UNREACHABLE', reason: 'the webhook has no secret' };
    const url = new URL(found.contact.address);
    const host = hostOf(url);
    if (isAddress(host) && !rules.allowsHost(host) && !rules.allowsAddress(host))
      return { kind: 'REFUSED', reason: `${host} is not a public address` };
    const afterMs = limit.take(url.host);
    if (afterMs > 0) return { kind: 'LATER', afterMs };

    const body = JSON.stringify(await messageOf(notification, options));
    const headers = signed(notification, body, found.secrets);
    const delivery = await post(url, { method: 'POST', headers, body, dispatcher, signal }, notification.claimedAt);
    if (delivery !== 'GONE') return delivery;
    await contacts.disable(tenant, agent, 'WEBHOOK', 'it answered 410 Gone');
    log.warn({ agent, notification: notification.id }, 'a webhook answered 410 Gone and is disabled');
    return { kind: 'REFUSED', reason: 'it answered 410 and is disabled' };
  }

  return { channel: 'WEBHOOK', deliver, close: () => dispatcher.destroy() };
}

/** Headers of the Standard Webhooks specification; while a secret is being replaced, a signature by each. */
function signed({ id, claimedAt }: Notification, body: string, secrets: readonly string[]): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'sluice',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(claimedAt.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, claimedAt, body)).join(' '),
  };
}

type Post = Omit<Dispatcher.RequestOptions, 'origin' | 'path'> & { dispatcher: Dispatcher };

async function post(url: URL, options: Post, now: Date): Promise<Delivery | 'GONE'> {
  try {
    const { statusCode, headers, body } = await request(url, options);
    // What was answered counts, however the body goes on.
    await body.dump({ limit: MOST_BODY_BYTES }).catch(() => undefined);
    return judge(statusCode, retryAfterMs(one(headers['retry-after']), one(headers.date), now));
  } catch (error) {
    return failed(error);
  }
}

const one = (header: string | string[] | undefined) => (typeof header === 'string' ? header : header?.[0]);

/**
 * Only 2xx is delivered; redirects are not followed, for they could lead anywhere. 4xx is retried like 5xx, until the
 * schedule gives up: a gateway whose receiver is just being deployed answers 404 or 403 as well.
 */
function judge(status: number, afterMs: number | null): Delivery | 'GONE' {
  if (status >= 200 && status < 300) return { kind: 'DELIVERED' };
  if (status === 410) return 'GONE';
  const reason = `it answered ${status}`;
  if (status >= 300 && status < 400) return { kind: 'REFUSED', reason: `${reason}, and redirects are not followed` };
  return { kind: 'RETRY', reason, afterMs: status === 429 || status === 503 ? afterMs : null };
}

/** The message of a network error can hold addresses of the inside: only its code is told. */
function failed(error: unknown): Delivery {
  if (error instanceof AddressRefused) return { kind: 'REFUSED', reason: error.message };
  if (error instanceof Error && error.name === 'AbortError')
    return { kind: 'RETRY', reason: 'it did not answer in time', afterMs: null };
  return { kind: 'RETRY', reason: `it could not be reached: ${codeOf(error)}`, afterMs: null };
}

/** Some errors of the HTTP client have a code and leave it empty. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
