import { loadavg } from 'node:os';
import type { Figure } from '../bench/figures.js';

/** A figure that is only told. */
export const count = (name: string, value: number, note?: string): Figure => ({
  name,
  value,
  unit: '',
  ...(note && { note }),
});

/** How many cases there are of what must not be. */
export const never = (name: string, cases: readonly string[]): Figure => ({
  ...count(name, cases.length),
  objective: { max: 0 },
});

/** The load averages of the machine, for whoever judges figures. */
export const machineLoad = (): string =>
  loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
