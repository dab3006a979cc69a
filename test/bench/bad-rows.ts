import type { Figure } from './figures.js';
import { ordersFile } from './orders-file.js';
import { median } from './statistics.js';
import { runSluice, type ThroughputSetup } from './throughput.js';

/** One bad row in a hundred, and in two; how many of the rows a second of a clean file are left then. */
const SHARES = [
  { name: '1 % bad rows', rowsPerBadRow: 100, min: 95 },
  { name: '50 % bad rows', rowsPerBadRow: 2, min: 50 },
] as const;

/** What bad rows cost: the same job over a file without any and over files with many, one after the other in every round. */
export async function measureBadRows(setup: ThroughputSetup): Promise<Figure[]> {
  const { args, folder, tell } = setup;
  const clean = await ordersFile(folder, args.rows, false);
  const files = [];
  for (const share of SHARES) {
    files.push({ ...share, file: await ordersFile(folder, args.rows, true, share.rowsPerBadRow) });
  }
  const ratios = new Map<string, number[]>(SHARES.map(({ name }) => [name, []]));
  for (let round = 1; round <= args.rounds; round++) {
    const without = await runSluice(setup, clean);
    for (const { name, file } of files) {
      const { rowsPerSecond } = await runSluice(setup, file);
      const ratio = (100 * rowsPerSecond) / without.rowsPerSecond;
      ratios.get(name)?.push(ratio);
      tell(
        `round ${round}/${args.rounds}: ${name} ${Math.round(rowsPerSecond / 1000)} k rows/s, ${ratio.toFixed(1)} %`,
      );
    }
  }
  return SHARES.map(({ name, min }) => ({
    name: `${name} / none`,
    value: median(ratios.get(name) ?? []),
    unit: '%',
    objective: { min },
    note: 'rows/s, ratio within a round',
  }));
}
