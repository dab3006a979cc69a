// npm run bench [-- --rows 2000000 --rounds 5 --insert-rows 100000 --launches 100 --large]
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments } from './arguments.js';
import { openBenchDatabase } from './bench-database.js';
import { startBenchGateway } from './bench-gateway.js';
import { type Figure, figureJson, figureTable } from './figures.js';
import { measureEventLatency, measureInlineJobs } from './latency.js';
import { measureMemory } from './memory.js';
import { ordersFile } from './orders-file.js';
import { measureThroughput } from './throughput.js';

const tell = (line: string) => console.error(line);

async function run(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  const folder = join(tmpdir(), 'sluice-bench-data');
  const closers: (() => Promise<void>)[] = [];
  const closing = <T>(thing: T, close: () => Promise<void>): T => {
    closers.unshift(close);
    return thing;
  };
  const closeAll = async () => {
    for (const close of closers.splice(0)) await close();
  };
  // Ctrl-C leaves no server and no database behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void closeAll().finally(() => process.exit(130)));
  }
  try {
    const database = await openBenchDatabase(process.env.BENCH_DATABASE_URL ?? process.env.DATABASE_URL);
    closing(database, () => database.close());
    const facts = {
      database: database.name,
      node: process.version,
      cores: availableParallelism(),
      cpu: cpus()[0]?.model,
    };
    tell(`${facts.database}, Node ${facts.node}, ${facts.cores} cores (${facts.cpu})`);

    const gateway = await startBenchGateway(folder, database.url);
    closing(gateway, () => gateway.stop());
    const throughput = await measureThroughput({ args, database, gateway, folder, tell });
    tell('measuring event latency');
    const file = await ordersFile(folder, args.rows, true);
    const events = await measureEventLatency(gateway.client, database.client, file, 'bench_events');
    await closers.shift()?.();

    const sizes = [args.rows / 10, args.rows, ...(args.large ? [args.rows * 10] : [])].map(Math.round);
    const memory = await measureMemory(database, folder, args.rows, sizes, tell);

    tell('measuring inline jobs');
    const embedded = await startBenchGateway(folder, undefined);
    closing(embedded, () => embedded.stop());
    const inline = await measureInlineJobs(embedded.client, args.launches);

    const figures: Figure[] = [...throughput, ...memory, ...inline, ...events];
    for (const line of figureTable(figures)) console.log(line);
    console.log(figureJson(figures, { ...facts, rows: args.rows, rounds: args.rounds }));
  } finally {
    await closeAll();
  }
}

run().catch((error: unknown) => {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
