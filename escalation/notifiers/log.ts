import type { Log } from '../../src/core/log.js';
import type { Notifier } from '../ports.js';
import { type MessageContext, messageOf } from './message.js';

/** LOG: a structured line, for those who collect logs. */
export function createLogNotifier({ log, ...context }: MessageContext & { readonly log: Log }): Notifier {
  return {
    channel: 'LOG',
    async deliver(notification) {
      const { type, data } = await messageOf(notification, context);
      log.info({ type, ...data }, 'an agent is notified');
      return { kind: 'DELIVERED' };
    },
  };
}
