import type { BenchDatabase } from './bench-database.js';
import { startBenchGateway } from './bench-gateway.js';
import type { Figure } from './figures.js';
import { ordersFile } from './orders-file.js';
import { ordersJob } from './orders-job.js';
import { freshTable } from './orders-table.js';
import { peakMemoryMb } from './process-figures.js';

/** Peak memory of a fresh process that loads one file of each size. */
export async function measureMemory(
  database: BenchDatabase,
  folder: string,
  usualRows: number,
  sizes: readonly number[],
  tell: (line: string) => void,
): Promise<Figure[]> {
  const peaks: { rows: number; mb: number }[] = [];
  for (const rows of sizes) {
    const file = await ordersFile(folder, rows, true);
    const gateway = await startBenchGateway(folder, database.url);
    try {
      await freshTable(database.client, 'bench_memory');
      await gateway.client.follow(await gateway.client.launch(ordersJob(file.path, 'bench_memory')));
      peaks.push({ rows, mb: await peakMemoryMb(gateway.pid) });
    } finally {
      await gateway.stop();
    }
    tell(`peak memory at ${rows} rows: ${peaks.at(-1)?.mb.toFixed(0)} MiB`);
  }
  return peaks.flatMap(({ rows, mb }, i) => {
    const before = peaks[i - 1];
    const peak: Figure = {
      name: `peak RSS at ${rows.toLocaleString('en-US')} rows`,
      value: mb,
      unit: 'MiB',
      objective: { max: 400 },
      note: 'VmHWM of a fresh process, gateway and worker in one',
    };
    if (before === undefined) return [peak];
    const ratio = { name: `peak RSS, ${rows / before.rows}x the rows`, value: mb / before.mb, unit: 'x' };
    // A small file does not fill what the engine may use, so that the objective is for growing beyond the usual size.
    const isBeyond = rows > usualRows;
    return [peak, isBeyond ? { ...ratio, objective: { max: 1.15 } } : { ...ratio, note: 'objective with --large' }];
  });
}
