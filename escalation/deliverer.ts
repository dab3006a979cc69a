import { type Clock, sleep } from '../src/core/clock.js';
import { type DueLoop, startDueLoop } from '../src/core/due-loop.js';
import type { Log } from '../src/core/log.js';
import { type DeliverContext, deliver } from './deliver.js';
import type { Notification, Notifier, Outbox, Wake } from './ports.js';

export interface DelivererOptions {
  readonly outbox: Outbox;
  /** One for each channel that is set up. */
  readonly notifiers: readonly Notifier[];
  readonly wake: Pick<Wake, 'on'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
  /** Name of this process in the leases. */
  readonly worker: string;
  /** Calls at the same time. */
  readonly concurrency?: number;
  /** Of them to one agent: so many more are only claimed while fewer are in hand, which makes it less than twice this. */
  readonly perAgent?: number;
  /** For one call of a channel. */
  readonly timeoutMs?: number;
  /** Whether to begin no calls for the moment, because something else is more urgent for this process. Never by default. */
  readonly isHeldBack?: () => boolean;
  /**
   * Renewed while a call lasts; what a killed process had in hand is due again after it. Its default keeps what a
   * killed process leaves less than a second late, and lets an event loop stand still for some 300 ms.
   */
  readonly leaseMs?: number;
  /** For the calls in hand when it stops. */
  readonly patienceMs?: number;
}

export interface Deliverer {
  /** Waits a while for the calls in hand, then breaks them off: they are made again when their lease is over. */
  stop(): Promise<void>;
}

/**
 * The safety net for wake-ups that got lost, such as those of a process that died between its commit and its word; and
 * the pause after the database failed.
 */
const POLL_MS = 500;
/** How soon rows are looked at again that are due but not to be had: of agents who take no more, or just being claimed. */
const BUSY_MS = 50;
/** Free places are filled in so many turns while more is due than there are places. */
const LOOKS_PER_ROUND = 4;
const RENEWALS_PER_LEASE = 4;
/** Less than a process may take to end: see `Shutdown`. */
const PATIENCE_MS = 6_000;

/** Carries notifications from the outbox to the agents. Any number may run; a slow agent holds up only itself. */
export async function startDeliverer(options: DelivererOptions): Promise<Deliverer> {
  const { outbox, wake, clock, log, worker } = options;
  const { concurrency = 64, perAgent = 8, timeoutMs = 10_000, leaseMs = 600, random = Math.random } = options;
  const { isHeldBack = () => false } = options;
  const { patienceMs = PATIENCE_MS } = options;
  const notifiers = new Map(options.notifiers.map((notifier) => [notifier.channel, notifier]));
  const context: DeliverContext = { outbox, notifiers, clock, log, random, timeoutMs };

  const inHand = new Map<Notification, { readonly call: Promise<void>; readonly letGo: AbortController }>();
  /** Agent -> when it takes more, in the clock's monotonic milliseconds. */
  const resting = new Map<string, number>();
  let seen: ReadonlySet<Notification> = new Set();
  let isRenewing = false;
  /** Whether rows may be due that were not claimed, so that a call that ends has to look. */
  let isMoreDue = true;
  let hasLetGo = false;

  let loop: DueLoop | undefined;
  const listening = await wake.on('OUTBOX', () => loop?.wake());
  loop = startDueLoop({ name: 'deliver notifications', work: claim, pollMs: POLL_MS, clock, log });
  const renewal = clock.every(leaseMs / RENEWALS_PER_LEASE, renew);

  async function claim(): Promise<number | null> {
    const free = concurrency - inHand.size;
    if (free <= 0 || isHeldBack()) return BUSY_MS;
    const except = [...new Set([...busyAgents(), ...restingAgents()])];
    const claimed = await outbox.claim(free, perAgent, leaseMs, worker, except);
    for (const notification of claimed) start(notification);
    const busy = busyAgents();
    isMoreDue = claimed.length === free || except.length > 0 || busy.length > 0;
    if (inHand.size >= concurrency) return BUSY_MS;
    const dueMs = await outbox.nextDueMs();
    if (dueMs === null || dueMs > 0) return dueMs;
    return isMoreDue || claimed.length === 0 ? BUSY_MS : 0;
  }

  function busyAgents(): string[] {
    const calls = new Map<string, number>();
    for (const { agent } of inHand.keys()) calls.set(agent, (calls.get(agent) ?? 0) + 1);
    return [...calls].filter(([, count]) => count >= perAgent).map(([agent]) => agent);
  }

  function restingAgents(): string[] {
    const now = clock.monotonicMs();
    for (const [agent, until] of resting) if (until <= now) resting.delete(agent);
    return [...resting.keys()];
  }

  function start(notification: Notification): void {
    const letGo = new AbortController();
    if (hasLetGo) letGo.abort();
    const call = deliver(notification, context, letGo.signal)
      .then(({ isWaiting, restMs }) => {
        if (restMs > 0) resting.set(notification.agent, clock.monotonicMs() + restMs);
        return isWaiting;
      })
      .catch((error: unknown) => {
        log.warn({ notification: notification.id, reason: String(error) }, 'a delivery could not be stored');
        return true;
      })
      .then((isWaiting) => {
        inHand.delete(notification);
        if (isWaiting || (isMoreDue && isWorthALook())) loop?.wake();
      });
    inHand.set(notification, { call, letGo });
  }

  /** In a flood calls end one by one: looking after each would cost more than the calls. */
  const isWorthALook = (): boolean => concurrency - inHand.size >= concurrency / LOOKS_PER_ROUND;

  /**
   * Most calls are over before: only those that a round has seen before cost the database something. One renewal at a
   * time: when the database is slow, the next would lock the same rows in another order and wait for this one for ever.
   */
  async function renew(): Promise<void> {
    if (isRenewing) return;
    const lasting = [...inHand.keys()].filter((notification) => seen.has(notification));
    seen = new Set(inHand.keys());
    if (lasting.length === 0) return;
    isRenewing = true;
    try {
      await outbox.renew(lasting, leaseMs);
    } catch (error) {
      log.warn({ reason: String(error) }, 'leases of notifications could not be renewed');
    } finally {
      isRenewing = false;
    }
  }

  return {
    async stop() {
      const isOver = new AbortController();
      const ended = Promise.resolve(loop?.stop()).then(() => Promise.all([...inHand.values()].map(({ call }) => call)));
      await Promise.race([ended, sleep(clock, patienceMs, isOver.signal)]);
      isOver.abort();
      hasLetGo = true;
      for (const { letGo } of inHand.values()) letGo.abort();
      await listening.stop();
      renewal.cancel();
    },
  };
}
