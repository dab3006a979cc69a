// npm run chaos:escalation [-- --seed 1 --kills 1000 --pause 600 --open 60]
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../../src/core/log.js';
import { migrate } from '../../../src/store/migrate.js';
import { openBenchDatabase } from '../../bench/bench-database.js';
import { figureJson, figureTable, verdict } from '../../bench/figures.js';
import { machineLoad } from '../counts.js';
import { readArguments } from './arguments.js';
import { runChaos } from './chaos.js';
import { chaosFigures } from './chaos-figures.js';
import { findingLines } from './findings.js';

const tell = (line: string) => console.error(line);

async function run(): Promise<void> {
  const args = readArguments(process.argv.slice(2), Date.now() % 2 ** 31);
  const database = await openBenchDatabase(process.env.BENCH_DATABASE_URL ?? process.env.DATABASE_URL);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= database.close().then(() => rm(folder, { recursive: true, force: true }));
    return closing;
  };
  // Ctrl-C leaves no server and no database behind; the escalators end when nobody holds them any more.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)));
  }
  try {
    await migrate(database.url, { log: createLog('error') });
    const facts = { database: database.name, node: process.version, cores: availableParallelism(), ...args };
    tell(`seed ${args.seed}; ${facts.database}, Node ${facts.node}, ${facts.cores} cores; load ${machineLoad()}`);
    const began = performance.now();
    const result = await runChaos({ ...args, databaseUrl: database.url, folder, tell });
    const seconds = Math.round((performance.now() - began) / 1_000);
    for (const [message, { count, example }] of result.complaints) tell(`logged ${count} times: ${message} ${example}`);
    for (const line of findingLines(result.findings)) tell(line);
    const figures = chaosFigures(result);
    console.log(`seed ${args.seed}, ${seconds} s, load ${machineLoad()}`);
    for (const line of figureTable(figures)) console.log(line);
    console.log(figureJson(figures, facts));
    if (figures.some((figure) => verdict(figure) === 'missed' || verdict(figure) === 'unknown')) process.exitCode = 1;
  } finally {
    await close();
  }
}

run().catch((error: unknown) => {
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
});
