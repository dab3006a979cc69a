import { type InputPath, SluiceError } from '../../core/errors.js';
import { quoteLiteral } from '../column.js';
import type { Session } from '../session.js';

/**
 * A value of the input as a constant of a column's type.
 * @throws SluiceError INVALID_INPUT when it does not fit
 */
export async function constantOf(session: Session, value: unknown, type: string, path: InputPath): Promise<string> {
  if (value === null || value === undefined) {
    throw new SluiceError('INVALID_INPUT', 'A value is needed here, not null.', { path });
  }
  const text =
    typeof value === 'object' || (type === 'JSON' && typeof value === 'string') ? JSON.stringify(value) : String(value);
  const constant = `CAST(${quoteLiteral(text)} AS ${type})`;
  try {
    await session.query(`SELECT ${constant}`);
  } catch (error) {
    session.throwIfStopped();
    throw new SluiceError('INVALID_INPUT', `${JSON.stringify(text)} is no ${type}.`, { path, cause: error });
  }
  return constant;
}
