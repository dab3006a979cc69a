// npm run bench [-- --rows 2000000 --rounds 5 --insert-rows 100000 --launches 100 --large]
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments } from './arguments.js';
import { measureBadRows } from './bad-rows.js';
import { openBenchDatabase } from './bench-database.js';
import { startBenchGateway } from './bench-gateway.js';
import { type Figure, figureJson, figureTable } from './figures.js';
import { measureEventLatency, measureInlineJobs } from './latency.js';
import { measureMemory } from './memory.js';
import { ordersFile } from './orders-file.js';
import { machineFacts, runBench } from './run-bench.js';
import { measureThroughput } from './throughput.js';

runBench(async ({ tell, closing, closeLast }) => {
  const args = readArguments(process.argv.slice(2));
  const folder = join(tmpdir(), 'sluice-bench-data');
  const database = await openBenchDatabase(process.env.BENCH_DATABASE_URL ?? process.env.DATABASE_URL);
  closing(database.close);
  const facts = machineFacts(database, tell);

  const gateway = await startBenchGateway(folder, database.url);
  closing(gateway.stop);
  const throughput = await measureThroughput({ args, database, gateway, folder, tell });
  const badRows = await measureBadRows({ args, database, gateway, folder, tell });
  tell('measuring event latency');
  const file = await ordersFile(folder, args.rows, true);
  const events = await measureEventLatency(gateway.client, database.client, file, 'bench_events');
  await closeLast();

  const sizes = [args.rows / 10, args.rows, ...(args.large ? [args.rows * 10] : [])].map(Math.round);
  const memory = await measureMemory(database, folder, args.rows, sizes, tell);

  tell('measuring inline jobs');
  const embedded = await startBenchGateway(folder, undefined);
  closing(embedded.stop);
  const inline = await measureInlineJobs(embedded.client, args.launches);

  const figures: Figure[] = [...throughput, ...badRows, ...memory, ...inline, ...events];
  for (const line of figureTable(figures)) console.log(line);
  console.log(figureJson(figures, { ...facts, rows: args.rows, rounds: args.rounds }));
});
