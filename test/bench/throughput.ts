import type { BenchArguments } from './arguments.js';
import type { BenchDatabase } from './bench-database.js';
import { copyPeer } from './copy-peer.js';
import type { Figure } from './figures.js';
import type { GatewayClient } from './gateway-client.js';
import { insertPeer } from './insert-peer.js';
import { ordersFile } from './orders-file.js';
import { ordersJob } from './orders-job.js';
import { countRows, freshTable } from './orders-table.js';
import { cpuSeconds, postgresCpuSeconds, postmasterOf } from './process-figures.js';
import { median } from './statistics.js';

interface Round {
  readonly sluice: SluiceRun;
  readonly copy: Run;
  readonly insert: Run;
  /** p99 of the event loop's delay, as the process itself says, in ms. */
  readonly loopDelayMs: number;
}

/** Seconds in the two long stages, by the times of their events. */
interface SluiceRun extends Run {
  readonly evaluating: number;
  readonly loading: number;
}

export interface Run {
  readonly rowsPerSecond: number;
  readonly seconds: number;
  readonly ownCpu: number;
  readonly postgresCpu: number;
}

export interface ThroughputSetup {
  readonly args: BenchArguments;
  readonly database: BenchDatabase;
  readonly gateway: { readonly client: GatewayClient; readonly pid: number; loopDelayMs(): Promise<number> };
  readonly folder: string;
  readonly tell: (line: string) => void;
}

/** Sluice, COPY and INSERT one after the other in every round, so that a slow minute of the machine hits all of them. */
export async function measureThroughput(setup: ThroughputSetup): Promise<Figure[]> {
  const { args, folder, tell } = setup;
  const peer = copyPeer();
  const dirty = await ordersFile(folder, args.rows, true);
  const clean = await ordersFile(folder, args.rows, false);
  const small = await ordersFile(folder, args.insertRows, true);
  tell(
    `${args.rows} rows, ${(dirty.bytes / 1e6).toFixed(0)} MB of CSV, ${dirty.badRows} bad rows; ${peer.name} gets the file without them.`,
  );
  const rounds: Round[] = [];
  for (let round = 1; round <= args.rounds; round++) {
    // Asking resets it: what was before the round does not count.
    await setup.gateway.loopDelayMs();
    const sluice = await runSluice(setup, dirty);
    const loopDelayMs = await setup.gateway.loopDelayMs();
    const copy = await measured(setup, 'bench_copy', clean.rows, process.pid, (url) =>
      peer.load(url, 'bench_copy', clean.path),
    );
    const insert = await measured(setup, 'bench_insert', small.rows, process.pid, async (url) => {
      await insertPeer(url, 'bench_insert', small.path);
    });
    rounds.push({ sluice, copy, insert, loopDelayMs });
    const rate = (run: Run) => `${Math.round(run.rowsPerSecond / 1000)} k rows/s`;
    tell(
      `round ${round}/${args.rounds}: Sluice ${rate(sluice)}, ${peer.name} ${rate(copy)}, csv-parse + INSERT ${rate(insert)}`,
    );
  }
  return figuresOf(rounds, peer.name, args);
}

/** One job of Sluice over the file, from its launch to its end. @throws Error when rows are missing */
export async function runSluice(
  setup: ThroughputSetup,
  file: { path: string; rows: number; badRows: number },
): Promise<SluiceRun> {
  const { client } = setup.gateway;
  const stages = new Map<string, number>();
  const run = await measured(setup, 'bench_sluice', file.rows, setup.gateway.pid, async () => {
    const jobId = await client.launch(ordersJob(file.path, 'bench_sluice', { errorBudget: { percent: 100 } }));
    await client.follow(jobId, (event) => {
      if (event.kind === 'STAGE' && event.stage !== null) stages.set(event.stage, Date.parse(event.at));
      if (event.state === 'SUCCEEDED') stages.set('END', Date.parse(event.at));
    });
  });
  const loaded = await countRows(setup.database.client, 'bench_sluice');
  if (loaded !== file.rows - file.badRows)
    throw new Error(`Sluice loaded ${loaded} of ${file.rows - file.badRows} rows.`);
  const seconds = (from: string, to: string) =>
    ((stages.get(to) ?? Number.NaN) - (stages.get(from) ?? Number.NaN)) / 1000;
  return { ...run, evaluating: seconds('EVALUATING', 'LOADING'), loading: seconds('LOADING', 'FINISHING') };
}

async function measured(
  { database }: ThroughputSetup,
  table: string,
  rows: number,
  pid: number,
  load: (databaseUrl: string) => Promise<void>,
): Promise<Run> {
  await freshTable(database.client, table);
  const postmaster = await postmasterOf(database.client);
  const cpu = async () => [await cpuSeconds(pid), await postgresCpuSeconds(postmaster)] as const;
  const [ownBefore, postgresBefore] = await cpu();
  const began = performance.now();
  await load(database.url);
  const seconds = (performance.now() - began) / 1000;
  const [ownAfter, postgresAfter] = await cpu();
  return {
    rowsPerSecond: rows / seconds,
    seconds,
    ownCpu: ownAfter - ownBefore,
    postgresCpu: postgresAfter - postgresBefore,
  };
}

function figuresOf(rounds: readonly Round[], peer: string, args: BenchArguments): Figure[] {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const rate = (run: 'sluice' | 'copy' | 'insert') => of((round) => round[run].rowsPerSecond);
  return [
    {
      name: 'Sluice, launch to SUCCEEDED',
      value: rate('sluice'),
      unit: 'rows/s',
      note: `median of ${rounds.length} rounds`,
    },
    { name: `${peer}, same table`, value: rate('copy'), unit: 'rows/s' },
    {
      name: 'Sluice / COPY',
      value: of((round) => (100 * round.sluice.rowsPerSecond) / round.copy.rowsPerSecond),
      unit: '%',
      objective: { min: 70 },
      note: 'ratio within a round; aim 100',
    },
    {
      name: 'csv-parse + checks + INSERT of 1,000',
      value: rate('insert'),
      unit: 'rows/s',
      note: `${args.insertRows} rows`,
    },
    {
      name: 'Sluice / INSERT',
      value: of((round) => round.sluice.rowsPerSecond / round.insert.rowsPerSecond),
      unit: 'x',
      objective: { min: 5 },
    },
    { name: 'Sluice, evaluating', value: of((round) => round.sluice.evaluating), unit: 's' },
    { name: 'Sluice, loading', value: of((round) => round.sluice.loading), unit: 's' },
    {
      name: 'CPU of Sluice',
      value: of((round) => round.sluice.ownCpu),
      unit: 's',
      note: 'gateway and worker in one process',
    },
    { name: 'CPU of PostgreSQL for Sluice', value: of((round) => round.sluice.postgresCpu), unit: 's' },
    { name: `CPU of ${peer}`, value: of((round) => round.copy.ownCpu), unit: 's' },
    { name: 'CPU of PostgreSQL for COPY', value: of((round) => round.copy.postgresCpu), unit: 's' },
    {
      name: 'event-loop delay p99 while loading',
      value: of((round) => round.loopDelayMs),
      unit: 'ms',
      objective: { max: 50 },
      note: 'nodejs_eventloop_lag_p99_seconds of /metrics',
    },
  ];
}
