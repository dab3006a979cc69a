import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface AdminToken {
  readonly token: string;
  /** Made just now: the one time that it is shown. */
  readonly isNew: boolean;
}

const hasCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code;

/** The token that was set, or the one kept in the home since the first start, or a new one. */
export async function adminToken(home: string, given: string | undefined): Promise<AdminToken> {
  if (given !== undefined) return { token: given, isNew: false };
  const file = join(home, 'admin-token');
  const kept = await readKept(file);
  if (kept) return { token: kept, isNew: false };
  const token = randomBytes(24).toString('base64url');
  await mkdir(home, { recursive: true });
  try {
    // Refuses to overwrite: of two processes that start at once, one makes the token and the other reads it.
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return { token, isNew: true };
  } catch (error) {
    const other = hasCode(error, 'EEXIST') ? await readKept(file) : undefined;
    if (other) return { token: other, isNew: false };
    throw error;
  }
}

async function readKept(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
