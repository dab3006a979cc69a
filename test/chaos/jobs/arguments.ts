import { parseArgs } from 'node:util';
import { whole } from '../../bench/arguments.js';
import type { QueueEngine } from './servers.js';

export interface ChaosArguments {
  readonly seed: number;
  /** Over all queues. */
  readonly points: number;
  /** Of each queue. */
  readonly recoveries: number;
  /** Of each queue. */
  readonly cancels: number;
  readonly scenarios: boolean;
  /** Jobs that wait when Redis loses all that it has. */
  readonly flood: number;
  readonly queues: readonly QueueEngine[];
}

const QUEUES: readonly QueueEngine[] = ['redis', 'postgres'];

/** @throws Error with a sentence */
export function readArguments(argv: readonly string[], anySeed: number): ChaosArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string', default: String(anySeed) },
      points: { type: 'string', default: '1000' },
      recoveries: { type: 'string', default: '10' },
      cancels: { type: 'string', default: '50' },
      flood: { type: 'string', default: '2000' },
      'no-scenarios': { type: 'boolean', default: false },
      queue: { type: 'string', default: 'both' },
    },
  });
  const queues = QUEUES.filter((queue) => values.queue === 'both' || values.queue === queue);
  if (queues.length === 0) throw new Error('--queue must be redis, postgres or both.');
  return {
    seed: whole(values.seed, 'seed', 0),
    points: whole(values.points, 'points', 1),
    recoveries: whole(values.recoveries, 'recoveries', 0),
    cancels: whole(values.cancels, 'cancels', 0),
    scenarios: !values['no-scenarios'],
    flood: whole(values.flood, 'flood', 0),
    queues,
  };
}
