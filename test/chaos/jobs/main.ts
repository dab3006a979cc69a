// npm run chaos [-- --seed 1 --points 1000 --recoveries 10 --cancels 50 --queue redis --flood 2000 --no-scenarios]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { figureJson, figureTable, verdict } from '../../bench/figures.js';
import { machineLoad } from '../counts.js';
import { readArguments } from './arguments.js';
import { runChaos } from './chaos.js';
import { chaosFigures } from './chaos-figures.js';
import { findingLines } from './judge.js';

const tell = (line: string) => console.error(line);

async function run(): Promise<void> {
  const { seed, points, queues, ...rest } = readArguments(process.argv.slice(2), Date.now() % 2 ** 31);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
  try {
    for (const engine of queues) {
      const facts = { node: process.version, cores: availableParallelism(), seed, points, queue: engine };
      tell(`queue on ${engine}, seed ${seed}; Node ${facts.node}, ${facts.cores} cores; load ${machineLoad()}`);
      const began = performance.now();
      const own = join(folder, engine);
      await mkdir(own);
      const share = Math.ceil(points / queues.length);
      const result = await runChaos({ ...rest, folder: own, engine, seed, points: share, tell });
      const seconds = Math.round((performance.now() - began) / 1_000);
      for (const line of findingLines(result.findings)) tell(line);
      const figures = chaosFigures(result);
      console.log(`queue on ${engine}, seed ${seed}, ${seconds} s, load ${machineLoad()}`);
      for (const line of figureTable(figures)) console.log(line);
      console.log(figureJson(figures, facts));
      if (figures.some((figure) => ['missed', 'unknown'].includes(verdict(figure)))) process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

run().catch((error: unknown) => {
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
});
