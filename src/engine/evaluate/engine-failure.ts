import { diskFull, isDiskFull } from '../../core/disk-full.js';
import { SluiceError, UserErrors } from '../../core/errors.js';
import type { ResolvedFile } from '../pipeline.js';

type Rule = readonly [pattern: RegExp, error: (words: string, file: string) => SluiceError];

const RULES: readonly Rule[] = [
  [
    /out of memory|max_temp_directory_size|failed to offload/i,
    () =>
      new SluiceError(
        'RESOURCE_EXHAUSTED',
        'The job needs more memory or disk than it may use; give it smaller input or raise SLUICE_ENGINE_MEMORY_MB.',
      ),
  ],
  [
    /state machine reached an invalid state/i,
    (_, file) =>
      new SluiceError(
        'FILE_UNREADABLE',
        `${file} mixes line ends, or has a bare carriage return outside of quotes; save it with LF or CRLF throughout.`,
      ),
  ],
  [
    /csv error|csv parser|csv reader|sniffing|encoding|unicode/i,
    (words, file) => new SluiceError('FILE_UNREADABLE', `${file} cannot be read as CSV: ${words}`),
  ],
  [/json/i, (words, file) => new SluiceError('FILE_UNREADABLE', `${file} cannot be read as JSON: ${words}`)],
  [
    /parquet|snappy|thrift/i,
    (words, file) => new SluiceError('FILE_UNREADABLE', `${file} cannot be read as Parquet: ${words}`),
  ],
  [
    /no files found|cannot open file|could not read|io error/i,
    (words, file) => new SluiceError('FILE_UNREADABLE', `${file} cannot be read: ${words}`),
  ],
  [
    /conversion error|out of range|overflow|invalid input|binder error/i,
    (words) => new SluiceError('EXPRESSION_INVALID', `The SQL fails on the data: ${words}`),
  ],
];

/** What DuckDB threw while a source was evaluated, as an error that a user can act on. */
export function engineFailure(thrown: unknown, files: readonly ResolvedFile[]): unknown {
  if (thrown instanceof SluiceError || thrown instanceof UserErrors || !(thrown instanceof Error)) return thrown;
  // Before the limits: spilling to a full disk is told as both.
  if (isDiskFull(thrown)) return diskFull(thrown);
  const rule = RULES.find(([pattern]) => pattern.test(thrown.message));
  if (rule === undefined) return thrown;
  const named = files.find((file) => thrown.message.includes(file.path)) ?? (files.length === 1 ? files[0] : undefined);
  const words = files.reduce((text, { path, uri }) => text.replaceAll(path, uri), thrown.message);
  const { code, message } = rule[1](firstLine(words), named?.uri ?? 'The source');
  return new SluiceError(code, message, { cause: thrown });
}

/** The words without the kind of error, and without paths of this host. */
function firstLine(message: string): string {
  const line = (message.split('\n')[0] ?? message).replace(/^[A-Z][\w ]* Error: /, '');
  return line.replace(/(["'])\/[^"']*\/([^"'/]+)\1/g, '$1$2$1').slice(0, 300);
}
