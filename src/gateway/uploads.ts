import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance } from 'fastify';
import { diskFull, isDiskFull } from '../core/disk-full.js';
import { SluiceError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import type { UploadQuota, UploadRoom } from './upload-quota.js';

// No separators and no dot in front: the name is a plain file in the folder, whatever the operating system.
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

/** Where uploads lie, and how much of them. */
export interface UploadPlace {
  readonly dir: string;
  /** Bytes of one upload. */
  readonly limit: number;
  readonly quota: UploadQuota;
}

export interface Upload {
  readonly uri: string;
  readonly bytes: number;
  readonly sha256: string;
}

const tooLarge = (limit: number) =>
  new SluiceError('UPLOAD_TOO_LARGE', `The upload is larger than the ${limit} bytes that are taken.`);

/** Passes bytes on, counting and hashing them; fails beyond the limit. */
function measured(hash: Hash, limit: number, room: UploadRoom): Transform & { bytes: number } {
  const meter = Object.assign(
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        meter.bytes += chunk.length;
        if (meter.bytes > limit) return done(tooLarge(limit));
        try {
          room.take(chunk.length);
        } catch (full) {
          return done(full instanceof Error ? full : new Error(String(full)));
        }
        hash.update(chunk);
        done(null, chunk);
      },
    }),
    { bytes: 0 },
  );
  return meter;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Stores the body under its name, whole or not at all: written aside, flushed, renamed over what was there.
 *
 * @throws SluiceError INVALID_INPUT for the name, UPLOAD_TOO_LARGE, UPLOADS_FULL, DISK_FULL
 */
export async function storeUpload(
  { dir, limit, quota }: UploadPlace,
  name: string,
  body: Readable,
  announced: number,
): Promise<Upload> {
  if (!SAFE_NAME.test(name))
    throw new SluiceError(
      'INVALID_INPUT',
      'An upload name has 1 to 200 letters, digits, dots, dashes and underscores, and does not begin with a dot or dash.',
      { path: ['name'] },
    );
  await mkdir(dir, { recursive: true });
  const aside = join(dir, `.${newId()}.part`);
  const hash = createHash('sha256');
  const room = await quota.enter(name, announced);
  const meter = measured(hash, limit, room);
  try {
    await pipeline(body, meter, createWriteStream(aside, { flags: 'wx' }));
    await sync(aside);
    await rename(aside, join(dir, name));
    await sync(dir);
  } catch (error) {
    await rm(aside, { force: true });
    throw isDiskFull(error) ? diskFull(error) : error;
  } finally {
    room.leave();
  }
  return { uri: `upload:${name}`, bytes: meter.bytes, sha256: hash.digest('hex') };
}

/** `PUT /uploads/{name}`: a plugin, since only here any media type is taken as a stream. */
export const uploadRoutes = (place: UploadPlace) => async (server: FastifyInstance) => {
  const { limit } = place;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { bodyLimit: Number.MAX_SAFE_INTEGER }, (_request, payload, done) =>
    done(null, payload),
  );
  server.put<{ Params: { name: string } }>(
    '/uploads/:name',
    { bodyLimit: Number.MAX_SAFE_INTEGER },
    async (request, reply) => {
      // What is refused before it is read must not keep the connection busy with the rest.
      const announced = Number(request.headers['content-length'] ?? 0);
      if (announced > limit) {
        reply.header('connection', 'close');
        throw tooLarge(limit);
      }
      try {
        return await storeUpload(place, request.params.name, request.raw, announced);
      } catch (error) {
        reply.header('connection', 'close');
        if (request.raw.errored && !(error instanceof SluiceError))
          throw new SluiceError('INVALID_INPUT', 'The upload ended before it was complete.', { cause: error });
        throw error;
      }
    },
  );
};
