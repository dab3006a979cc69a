/** Waits of a lost Redis connection: quick at first, and never long, for work waits meanwhile. */
export const reconnectDelayMs = (times: number): number => Math.min(times * 100, 2_000);
