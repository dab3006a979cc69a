import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds, looking every 10 ms; fails after `withinMs`. */
export async function eventually(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await sleep(10);
  }
}
