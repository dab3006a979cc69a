import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.js';

/** Room that one upload has been given; it grows with what arrives. */
export interface UploadRoom {
  /** @throws SluiceError UPLOADS_FULL when these bytes are too many */
  take(bytes: number): void;
  /** Gives everything back: the upload is stored, and counts as a file from now on, or has failed. */
  leave(): void;
}

export interface UploadQuota {
  /** @param announced bytes that the client says it will send, 0 when it says nothing @throws SluiceError UPLOADS_FULL */
  enter(name: string, announced: number): Promise<UploadRoom>;
}

/**
 * What all uploads together may take. Uploads on their way through this gateway are counted as they grow; those through
 * other gateways count from the first look after they begin, so that several together may go a little over it.
 *
 * @param maxBytes null for no limit
 */
export function createUploadQuota(dir: string, maxBytes: number | null): UploadQuota {
  const growing = new Set<{ bytes: number }>();
  if (maxBytes === null) return { enter: async () => ({ take: () => undefined, leave: () => undefined }) };
  const full = () =>
    new SluiceError(
      'UPLOADS_FULL',
      `All uploads together may take ${maxBytes} bytes, and this one goes beyond it: ask the operator to remove old ones or to raise SLUICE_UPLOADS_MAX_MB.`,
    );
  const onTheWay = () => [...growing].reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    async enter(name, announced) {
      const room = { bytes: 0 };
      growing.add(room);
      const leave = () => void growing.delete(room);
      try {
        const used = await storedBytes(dir, name);
        if (used + onTheWay() + announced > maxBytes) throw full();
        return {
          take(bytes) {
            room.bytes += bytes;
            if (used + onTheWay() > maxBytes) throw full();
          },
          leave,
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

/** Bytes of the stored uploads, without the one that is about to be replaced. */
async function storedBytes(dir: string, replaced: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(dir)) {
    // Hidden ones are on their way, through this gateway or another.
    if (name === replaced || name.startsWith('.')) continue;
    bytes += (await stat(join(dir, name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}
