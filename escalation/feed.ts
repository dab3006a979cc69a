import { type Clock, sleep } from '../src/core/clock.js';
import { SluiceError } from '../src/core/errors.js';
import type { Log } from '../src/core/log.js';
import type { LogEntry, LogStore, Wake } from './ports.js';

export interface FeedOptions {
  readonly entries: LogStore;
  readonly wake: Wake;
  readonly clock: Clock;
  readonly log: Log;
}

export interface FeedFilter {
  /** Rows in which this agent is meant or acts. */
  readonly agent?: string;
  readonly escalationId?: string;
}

export interface Feed {
  /** @throws SluiceError INVALID_INPUT, CURSOR_INVALID */
  watch(tenant: string, filter: FeedFilter, afterSeq: number | null, signal: AbortSignal): AsyncIterable<LogEntry>;
}

/** Rows in the memory of one reader, however far behind it is. */
const PAGE = 200;
/** How often a reader looks in case a word was lost. */
const POLL_MS = 2_000;

/** The log as a stream: rows are numbered without gaps and read in order, so a reader misses nothing and sees nothing twice. */
export function createFeed({ entries, wake, clock, log }: FeedOptions): Feed {
  const words = sharedWords(wake, log);

  async function* watch(
    tenant: string,
    filter: FeedFilter,
    afterSeq: number | null,
    signal: AbortSignal,
  ): AsyncIterable<LogEntry> {
    let seq = await beginning(entries, tenant, afterSeq);
    const word = words.listen(tenant);
    try {
      await word.ready;
      while (!signal.aborted) {
        const page = await word.hush(() => entries.readAfter(tenant, seq, PAGE)).catch((error: unknown) => error);
        if (!Array.isArray(page)) {
          // The reader is told late, and not nothing: the rows are still there when the database is.
          log.warn({ tenant, reason: String(page) }, 'the escalation log cannot be read, and is read later');
          await sleep(clock, POLL_MS, signal);
          continue;
        }
        for (const entry of page as readonly LogEntry[]) {
          if (signal.aborted) return;
          seq = entry.seq;
          if (isMeant(entry, filter)) yield entry;
        }
        if (page.length < PAGE) await word.next(clock, signal);
      }
    } finally {
      word.stop();
    }
  }

  return { watch };
}

async function beginning(entries: LogStore, tenant: string, afterSeq: number | null): Promise<number> {
  if (afterSeq !== null && (!Number.isSafeInteger(afterSeq) || afterSeq < 0)) {
    throw new SluiceError('INVALID_INPUT', '`afterSeq` must not be negative.', { path: ['afterSeq'] });
  }
  const last = await entries.lastSeq(tenant);
  if (afterSeq === null) return last;
  if (afterSeq <= last) return afterSeq;
  throw new SluiceError('CURSOR_INVALID', `The log has ${last} rows; \`afterSeq\` is beyond the last.`, {
    path: ['afterSeq'],
  });
}

const isMeant = (entry: LogEntry, { agent, escalationId }: FeedFilter): boolean =>
  (escalationId === undefined || entry.escalationId === escalationId) &&
  (agent === undefined || entry.actor === agent || entry.agents.includes(agent));

/** One listener of a reader. */
interface Word {
  /** Resolves when news are heard, or cannot be. */
  readonly ready: Promise<unknown>;
  /** Runs a read; whatever is told from its beginning on counts as news. */
  hush<T>(read: () => Promise<T>): Promise<T>;
  /** Resolves at the next news, after a while without any, or when the signal aborts. */
  next(clock: Clock, signal: AbortSignal): Promise<void>;
  stop(): void;
}

/** One subscription for all readers of the process, as long as there are any. */
function sharedWords(wake: Wake, log: Log): { listen(tenant: string): Word } {
  const listeners = new Set<(tenant: string | null) => void>();
  let subscription: Promise<{ stop(): Promise<void> } | undefined> | undefined;

  const subscribe = () =>
    wake
      .on('LOG', (tenant) => {
        for (const listener of listeners) listener(tenant);
      })
      .catch((error: unknown) => {
        log.debug({ reason: String(error) }, 'readers of the escalation log poll');
        return undefined;
      });

  function leave(): void {
    if (listeners.size > 0) return;
    const left = subscription;
    subscription = undefined;
    left?.then((one) => one?.stop()).catch((error: unknown) => log.debug({ reason: String(error) }, 'not left'));
  }

  return {
    listen(tenant) {
      let hasNews = false;
      let ring: (() => void) | undefined;
      const listener = (told: string | null) => {
        if (told !== null && told !== tenant) return;
        hasNews = true;
        ring?.();
      };
      listeners.add(listener);
      subscription ??= subscribe();
      return {
        ready: subscription,
        hush(read) {
          hasNews = false;
          return read();
        },
        next: (clock, signal) =>
          new Promise((resolve) => {
            const done = () => {
              timer.cancel();
              signal.removeEventListener('abort', done);
              ring = undefined;
              resolve();
            };
            const timer = clock.after(POLL_MS, done);
            signal.addEventListener('abort', done, { once: true });
            ring = done;
            if (hasNews || signal.aborted) done();
          }),
        stop() {
          listeners.delete(listener);
          leave();
        },
      };
    },
  };
}
