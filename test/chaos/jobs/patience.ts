import { setTimeout as sleep } from 'node:timers/promises';

const AGAIN_MS = 50;

/**
 * Asks again for as long as the servers are broken.
 * @throws what it failed with last, after `withinMs`
 */
export async function patiently<T>(work: () => Promise<T>, withinMs = 60_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(AGAIN_MS);
    }
  }
}
