import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError, UserErrors } from '../core/errors.js';
import { engineFailure } from './evaluate/engine-failure.js';
import type { FileResolver, ResolvedFile } from './pipeline.js';
import { Session, type SessionOptions } from './session.js';
import type { SourceBinding, SourceRelation } from './sources/source.js';

/** A source opened in a locked session of its own. */
export interface OpenSource {
  readonly session: Session;
  /** What the user named; `staged` is what DuckDB reads in their place. */
  readonly files: readonly ResolvedFile[];
  readonly staged: readonly ResolvedFile[];
  readonly relation: SourceRelation;
}

export interface Reading {
  /** An existing folder that may be written to; the session can touch nothing else but the files. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Whether the rows will be loaded; a check or a preview reads only the beginning. */
  readonly isLoading: boolean;
}

/**
 * Resolves, unpacks and opens a source, hands it to `work` and closes it.
 * @throws UserErrors with paths below `source`
 */
export async function withSource<T>(
  source: SourceBinding,
  context: SessionOptions & { readonly files: FileResolver },
  { directory, signal, isLoading }: Reading,
  work: (open: OpenSource) => Promise<T>,
): Promise<T> {
  const workDir = join(directory, 'work');
  await mkdir(workDir, { recursive: true });
  const { named, staged } = await atSource([], async () => {
    const resolved = (await Promise.all(source.uris.map((uri) => context.files.resolve(uri)))).flat();
    return { named: resolved, staged: await source.stage(resolved, workDir, signal) };
  });
  const session = await Session.open(
    context,
    { files: staged.map((file) => file.path), directories: [directory] },
    join(workDir, 'spill'),
    signal,
  );
  try {
    const relation = await atSource(staged, () => source.open({ session, files: staged, workDir, signal, isLoading }));
    return await work({ session, files: named, staged, relation });
  } catch (error) {
    signal.throwIfAborted();
    throw engineFailure(error, staged);
  } finally {
    session.close();
  }
}

/** @throws SluiceError SOURCE_CHANGED when a file is not what it was when it was resolved */
export async function checkUnchanged(files: readonly ResolvedFile[]): Promise<void> {
  for (const file of files) {
    const now = await stat(file.path).catch(() => null);
    if (now === null || now.size !== file.bytes || now.mtimeMs !== file.modifiedMs) {
      throw new SluiceError('SOURCE_CHANGED', `${file.uri} changed while it was being read; nothing was loaded.`);
    }
  }
}

async function atSource<T>(staged: readonly ResolvedFile[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = engineFailure(thrown, staged);
    if (error instanceof SluiceError && error.isUserError) throw new UserErrors([error.under('source')]);
    throw error;
  }
}
