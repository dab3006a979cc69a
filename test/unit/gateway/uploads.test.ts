import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { createUploadQuota } from '../../../src/gateway/upload-quota.js';
import { storeUpload } from '../../../src/gateway/uploads.js';

it('an upload that finds the disk full says so and leaves nothing, and its room is free again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-upload-'));
  const place = { dir, limit: 1_000, quota: createUploadQuota(dir, 100) };
  const full = Readable.from(
    (async function* () {
      yield Buffer.alloc(90);
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    })(),
  );
  await expect(storeUpload(place, 'a.csv', full, 0)).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(await readdir(dir)).toEqual([]);
  const again = storeUpload(place, 'a.csv', Readable.from([Buffer.alloc(90)]), 90);
  await expect(again).resolves.toMatchObject({ bytes: 90 });
  await rm(dir, { recursive: true });
});
