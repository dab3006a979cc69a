import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, inject } from 'vitest';

export interface TestRedis {
  readonly url: string;
  /** Stands in every key and channel of the test file, so that files that run at once do not meet. */
  readonly prefix: string;
  /** Deletes every key with the prefix: what FLUSHALL does, without touching anybody else. */
  forget(): Promise<void>;
}

async function deleteKeys(client: Redis, prefix: string): Promise<void> {
  for await (const keys of client.scanStream({ match: `*${prefix}*`, count: 1000 })) {
    if (keys.length > 0) await client.unlink(...keys);
  }
}

/** The Redis of the run for the test file (or describe block) that calls this; its keys are deleted after it. */
export function freshRedis(): TestRedis {
  const url = inject('redisUrl');
  const prefix = `sluice-test-${randomBytes(5).toString('hex')}`;
  const forget = async () => {
    const client = new Redis(url);
    try {
      await deleteKeys(client, prefix);
    } finally {
      await client.quit();
    }
  };
  afterAll(forget);
  return { url, prefix, forget };
}
