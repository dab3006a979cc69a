import { parseArgs } from 'node:util';

export interface BenchArguments {
  readonly rows: number;
  readonly rounds: number;
  /** Also the peak memory at ten times `rows`. */
  readonly large: boolean;
  /** Rows of the csv-parse + INSERT peer, which is too slow for all of them; rows/s are compared. */
  readonly insertRows: number;
  readonly launches: number;
}

/** @throws Error with a sentence */
export const whole = (text: string, name: string, min: number): number => {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < min) throw new Error(`--${name} must be a whole number from ${min}.`);
  return value;
};

/** @throws Error with a sentence */
export function readArguments(argv: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rows: { type: 'string', default: '2000000' },
      rounds: { type: 'string', default: '5' },
      'insert-rows': { type: 'string', default: '100000' },
      launches: { type: 'string', default: '100' },
      large: { type: 'boolean', default: false },
    },
  });
  return {
    rows: whole(values.rows, 'rows', 1_000),
    rounds: whole(values.rounds, 'rounds', 1),
    insertRows: whole(values['insert-rows'], 'insert-rows', 1_000),
    launches: whole(values.launches, 'launches', 10),
    large: values.large,
  };
}
