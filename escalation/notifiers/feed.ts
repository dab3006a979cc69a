import type { Notifier } from '../ports.js';

/** FEED: the log's row, written with the state, is the delivery; subscribers of `escalationEvents` miss none. */
export function createFeedNotifier(): Notifier {
  return { channel: 'FEED', deliver: async () => ({ kind: 'DELIVERED' }) };
}
