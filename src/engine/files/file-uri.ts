import { SluiceError } from '../../core/errors.js';

/** A URI of a source or file sink, taken apart. */
export interface FileUri {
  readonly scheme: 'file' | 'upload';
  /** As the user wrote it. */
  readonly text: string;
  /** The paths it may mean, best first: exactly as written, then percent-decoded. */
  readonly paths: readonly string[];
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const MAX_LENGTH = 1024;

/**
 * Takes `file:orders.csv`, `file:sub/*.csv`, `file:///data/orders.csv`, `upload:orders.csv` and `upload://orders.csv`
 * apart. Everything after the scheme is the path, `#` and `?` included: data files do have such names.
 *
 * @throws SluiceError INVALID_INPUT for an unknown scheme or no path; FILE_NOT_ALLOWED for `..` and NUL bytes
 */
export function parseFileUri(text: string): FileUri {
  if (text.length > MAX_LENGTH) {
    throw new SluiceError('INVALID_INPUT', `The URI is longer than ${MAX_LENGTH} characters.`);
  }
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme !== 'file' && scheme !== 'upload') {
    throw new SluiceError(
      'INVALID_INPUT',
      `${JSON.stringify(text)} has ${scheme ? `the unknown scheme "${scheme}:"` : 'no scheme'}; use file:<path below a data directory> or upload:<name>.`,
    );
  }
  const raw = withoutAuthority(text.slice(scheme.length + 1), text);
  const paths = [...new Set([raw, percentDecoded(raw)])];
  for (const path of paths) refuseUnsafe(path, text);
  return { scheme, text, paths };
}

/** `//name` is the authority form: its host must be empty or localhost for files, and is the name for uploads. */
function withoutAuthority(path: string, uri: string): string {
  if (!path.startsWith('//')) return path;
  if (/^upload:/i.test(uri)) return path.slice(2);
  const rest = path.slice(2).replace(/^localhost(?=\/)/i, '');
  if (rest.startsWith('/')) return rest;
  throw new SluiceError(
    'INVALID_INPUT',
    `${JSON.stringify(uri)} names a host; write file:${rest} for a file below a data directory.`,
  );
}

function percentDecoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // `100%.csv` is a name, not an encoding.
    return path;
  }
}

function refuseUnsafe(path: string, uri: string): void {
  if (path.includes('\0')) {
    throw new SluiceError('FILE_NOT_ALLOWED', `${JSON.stringify(uri)} holds a NUL byte.`);
  }
  if (path.split(/[/\\]/).includes('..')) {
    throw new SluiceError(
      'FILE_NOT_ALLOWED',
      `${JSON.stringify(uri)} has a ".." segment; name the file from a data directory.`,
    );
  }
  if (path.replace(/[/.]/g, '') === '') {
    throw new SluiceError('INVALID_INPUT', `${JSON.stringify(uri)} names no file.`);
  }
}
