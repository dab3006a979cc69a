import { type InputPath, SluiceError } from '../src/core/errors.js';

/** The one sentence about an agent that the org chart does not have. */
export const noSuchAgent = (id: string): string => `There is no agent ${JSON.stringify(id)} in the org chart.`;

export const unknownAgent = (id: string, path: InputPath): SluiceError =>
  new SluiceError('UNKNOWN_AGENT', noSuchAgent(id), { path });
