import { answersWithin } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import type { ServiceFigures } from './deps.js';

/** However many scrape, and however often: the database is asked once in this time. */
const FRESH_MS = 10_000;
/** A scrape does not wait longer for the database; scrapers give up after 10 s. */
const WAIT_MS = 3_000;

/**
 * The figures of the service, at most 10 s old. While a reading goes on no second one is begun.
 * @returns null when they cannot be read, or not in time
 */
export function cachedFigures(read: () => Promise<ServiceFigures>, clock: Clock): () => Promise<ServiceFigures | null> {
  let known: { readonly figures: ServiceFigures; readonly at: number } | null = null;
  let reading: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    try {
      known = { figures: await read(), at: clock.monotonicMs() };
    } finally {
      reading = null;
    }
  }

  const fresh = () => (known !== null && clock.monotonicMs() - known.at < FRESH_MS ? known.figures : null);
  return async () => {
    const figures = fresh();
    if (figures !== null) return figures;
    reading ??= refresh();
    return (await answersWithin(clock, WAIT_MS, reading)) ? fresh() : null;
  };
}
