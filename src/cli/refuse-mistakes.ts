import { ClientFailure, EXIT } from './client-failure.js';
import type { UserError } from './operations.js';

/** @throws ClientFailure when the gateway has found mistakes in what was asked */
export function refuseMistakes(userErrors: readonly UserError[]): void {
  const [first, ...rest] = userErrors.map(({ code, message, path }) => ({ code, message, path: path ?? undefined }));
  if (first !== undefined) throw new ClientFailure(EXIT.failed, [first, ...rest]);
}
