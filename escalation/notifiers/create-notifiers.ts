import type { Clock } from '../../src/core/clock.js';
import type { Log } from '../../src/core/log.js';
import type { AddressRules } from '../../src/core/safe-address.js';
import type { ContactStore, Notifier } from '../ports.js';
import { createRateLimit } from '../rate-limit.js';
import { createEmailNotifier } from './email.js';
import { createFeedNotifier } from './feed.js';
import { createLogNotifier } from './log.js';
import type { MessageContext } from './message.js';
import { createWebhookNotifier } from './webhook.js';

export interface NotifiersOptions extends MessageContext {
  readonly contacts: Pick<ContactStore, 'find' | 'disable'>;
  readonly rules: AddressRules;
  /** Without it nobody is reached by email. */
  readonly smtpUrl: string | undefined;
  readonly smtpFrom: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls of this process to one host and port. */
  readonly webhooksPerSecond?: number;
  /** Mails of this process to one domain. */
  readonly emailsPerSecond?: number;
}

/** Every channel that is set up. */
export function createNotifiers(options: NotifiersOptions): {
  readonly notifiers: readonly Notifier[];
  close(): Promise<void>;
} {
  const { contacts, policies, apiUrl, rules, smtpUrl, smtpFrom: from, clock, log } = options;
  const { webhooksPerSecond = 100, emailsPerSecond = 5 } = options;
  const limitOf = (perSecond: number) => createRateLimit({ perSecond, burst: 2 * perSecond, clock });
  const message = { policies, apiUrl };
  const webhook = createWebhookNotifier({ ...message, contacts, rules, limit: limitOf(webhooksPerSecond), log });
  const notifiers: Notifier[] = [createFeedNotifier(), createLogNotifier({ ...message, log }), webhook];
  if (smtpUrl !== undefined)
    notifiers.push(createEmailNotifier({ ...message, contacts, smtpUrl, from, limit: limitOf(emailsPerSecond) }));
  return { notifiers, close: () => webhook.close() };
}
