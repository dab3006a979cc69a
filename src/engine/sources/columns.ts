import { SluiceError } from '../../core/errors.js';
import { HIDDEN_PREFIX } from '../relation.js';

/**
 * Refuses names that the engine cannot keep apart. DuckDB compares identifiers without case.
 * @throws SluiceError DUPLICATE_COLUMN, FILE_UNREADABLE
 */
export function checkColumnNames(names: readonly string[], uri: string): void {
  if (names.length === 0) throw new SluiceError('FILE_UNREADABLE', `${uri} has no columns.`);
  const seen = new Map<string, string>();
  for (const name of names) {
    if (name === '') throw new SluiceError('FILE_UNREADABLE', `${uri} has a column without a name.`);
    if (name.toLowerCase().startsWith(HIDDEN_PREFIX)) {
      throw new SluiceError(
        'DUPLICATE_COLUMN',
        `${uri} has a column "${name}"; names starting with ${HIDDEN_PREFIX} are reserved.`,
      );
    }
    if (name.includes('\0'))
      throw new SluiceError('FILE_UNREADABLE', `${uri} has a NUL character in the name of a column.`);
    const earlier = seen.get(name.toLowerCase());
    if (earlier !== undefined) {
      throw new SluiceError(
        'DUPLICATE_COLUMN',
        `${uri} has the columns "${earlier}" and "${name}"; column names must differ, case aside.`,
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}
