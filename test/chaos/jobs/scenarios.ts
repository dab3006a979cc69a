import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import type { Findings } from './judge.js';
import type { Nodes } from './nodes.js';
import { patiently } from './patience.js';
import { exhaustConnections, type Servers } from './servers.js';
import { judgeTinyJobs, tinyJob } from './tiny-jobs.js';
import { launch } from './workload.js';

export interface ScenarioResult {
  readonly name: string;
  /** Jobs a second before the fault, and once work goes on after it. */
  readonly before: number;
  readonly after: number;
  readonly ratio: number;
  /** From the end of the fault until the next job was done. */
  readonly recoveryMs: number;
}

type Fault = (servers: Servers, nodes: Nodes) => Promise<void>;

const KILLS = 5;
const BETWEEN_KILLS_MS = 1_500;
const EXHAUSTED_MS = 3_000;
const BACKEND_KILLS = 10;

/** The faults that benchmarks of queues play, under the names that they use. */
const SCENARIOS: Readonly<Record<string, Fault>> = {
  postgres_restart: async (servers) => servers.killPostgres(),
  async pg_backend_kill({ pool }) {
    for (let i = 0; i < BACKEND_KILLS; i += 1) {
      await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> 'sluice chaos'`);
      await sleep(EXHAUSTED_MS / BACKEND_KILLS);
    }
  },
  async pool_exhaustion({ databaseUrl }) {
    const giveBack = await exhaustConnections(databaseUrl);
    await sleep(EXHAUSTED_MS);
    await giveBack();
  },
  crash_recovery: async (_servers, nodes) => nodes.at(0)?.signal('SIGKILL'),
  async repeated_kills(_servers, nodes) {
    for (let i = 0; i < KILLS; i += 1) {
      nodes.at(i % 2)?.signal('SIGKILL');
      await sleep(BETWEEN_KILLS_MS);
    }
  },
};

const JOBS_AT_ONCE = 12;
const WARM_UP_MS = 3_000;
const MEASURED_MS = 10_000;
const PATIENCE_MS = 60_000;

const TABLE = 'ticks';
const inputOf = tinyJob('tick', TABLE);

/** Plays one after the other while small jobs come without end; nothing moves the time. */
export async function playScenarios(
  nodes: Nodes,
  servers: Servers,
  findings: Findings,
  tell: (line: string) => void,
): Promise<readonly ScenarioResult[]> {
  const { pool } = servers;
  await pool.query(`create table ${TABLE} (id bigint)`);
  const stream = startStream(nodes, servers);
  const results: ScenarioResult[] = [];
  try {
    for (const [name, fault] of Object.entries(SCENARIOS)) {
      await nodes.allReady();
      await sleep(WARM_UP_MS);
      const before = await jobsPerSecond(servers);
      await fault(servers, nodes);
      const end = Date.now();
      await nodes.allReady();
      await doneAfter(servers, end);
      const recoveryMs = Date.now() - end;
      await sleep(WARM_UP_MS);
      const after = await jobsPerSecond(servers);
      results.push({ name, before, after, ratio: after / before, recoveryMs });
      tell(`${name}: ${before.toFixed(1)} jobs/s, then ${after.toFixed(1)}`);
    }
  } finally {
    await stream.stop();
  }
  await judgeTinyJobs(
    servers,
    { name: 'tick', table: TABLE, launched: stream.launched(), withinMs: PATIENCE_MS },
    findings,
  );
  return results;
}

function startStream(nodes: Nodes, servers: Servers) {
  let launched = 0;
  let isOver = false;
  const one = async (): Promise<void> => {
    while (!isOver) {
      const number = launched;
      launched += 1;
      const id = await launch(nodes, inputOf(number));
      await eventually(
        async () =>
          isOver ||
          (
            await patiently(() =>
              servers.pool.query(`select from sluice.job where id = $1 and state = 'SUCCEEDED'`, [id]),
            )
          ).rows.length > 0,
        2 * PATIENCE_MS,
      ).catch(() => undefined);
    }
  };
  const running = Promise.all(Array.from({ length: JOBS_AT_ONCE }, one));
  return {
    launched: () => launched,
    async stop() {
      isOver = true;
      await running;
    },
  };
}

async function jobsPerSecond({ pool }: Servers): Promise<number> {
  await sleep(MEASURED_MS);
  const { rows } = await patiently(() =>
    pool.query<{ count: number }>(
      `select count(*)::integer as count from sluice.job
       where name = 'tick' and finished_at > statement_timestamp() - $1 * interval '1 ms'`,
      [MEASURED_MS],
    ),
  );
  return (1_000 * (rows[0]?.count ?? 0)) / MEASURED_MS;
}

const doneAfter = ({ pool }: Servers, at: number): Promise<void> =>
  eventually(
    async () =>
      (
        await patiently(() =>
          pool.query(`select from sluice.job where name = 'tick' and finished_at > $1 limit 1`, [new Date(at)]),
        )
      ).rows.length > 0,
    PATIENCE_MS,
  );
