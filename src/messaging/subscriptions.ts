import type { Log } from '../core/log.js';

interface Subscriber {
  readonly onMessage: (payload: unknown) => void;
  readonly onGap: () => void;
}

/** Who listens to which channel in this process. A subscriber that throws disturbs no other. */
export function createSubscriptions(log: Log) {
  const byChannel = new Map<string, Set<Subscriber>>();

  const guarded = (call: () => void) => {
    try {
      call();
    } catch (error) {
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'a bus subscriber failed');
    }
  };

  return {
    /** @returns `remove`, which answers how many are left on the channel */
    add(channel: string, onMessage: Subscriber['onMessage'], onGap: Subscriber['onGap']) {
      const subscriber = { onMessage, onGap };
      const subscribers = byChannel.get(channel) ?? new Set();
      byChannel.set(channel, subscribers.add(subscriber));
      return {
        remove(): number {
          subscribers.delete(subscriber);
          return subscribers.size;
        },
      };
    },
    deliver(channel: string, payload: unknown): void {
      if (payload === undefined) return;
      for (const { onMessage } of byChannel.get(channel) ?? []) guarded(() => onMessage(payload));
    },
    gap(): void {
      for (const subscribers of byChannel.values()) for (const { onGap } of subscribers) guarded(onGap);
    },
    channels: (): readonly string[] => [...byChannel].filter(([, { size }]) => size > 0).map(([channel]) => channel),
  };
}
