import { parseArgs } from 'node:util';
import { whole } from '../../bench/arguments.js';

export interface ChaosArguments {
  readonly seed: number;
  readonly kills: number;
  readonly pauseMs: number;
  readonly open: number;
}

/** @throws Error with a sentence */
export function readArguments(argv: readonly string[], anySeed: number): ChaosArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string', default: String(anySeed) },
      kills: { type: 'string', default: '1000' },
      pause: { type: 'string', default: '600' },
      open: { type: 'string', default: '60' },
    },
  });
  return {
    seed: whole(values.seed, 'seed', 0),
    kills: whole(values.kills, 'kills', 1),
    pauseMs: whole(values.pause, 'pause', 1),
    open: whole(values.open, 'open', 1),
  };
}
