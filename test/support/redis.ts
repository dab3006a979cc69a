import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, inject } from 'vitest';

export interface TestRedis {
  readonly url: string;
  /** Stands in every key and channel of the test file, so that files that run at once do not meet. */
  readonly prefix: string;
}

/**
 * Deletes every key with the name in it: what FLUSHALL does, without touching anybody else.
 * @returns how many there were
 */
export async function deleteKeys(url: string, name: string): Promise<number> {
  const client = new Redis(url);
  let deleted = 0;
  try {
    for await (const keys of client.scanStream({ match: `*${name}*`, count: 1000 })) {
      if (keys.length > 0) deleted += await client.unlink(...keys);
    }
    return deleted;
  } finally {
    await client.quit();
  }
}

/** The Redis of the run for the test file (or describe block) that calls this; its keys are deleted after it. */
export function freshRedis(): TestRedis {
  const url = inject('redisUrl');
  const prefix = `sluice-test-${randomBytes(5).toString('hex')}`;
  afterAll(() => deleteKeys(url, prefix));
  return { url, prefix };
}
