import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from '../../../src/cli/api-client.js';
import { RETRY } from '../../../src/cli/job-operations.js';
import { LAUNCH } from '../../../src/cli/operations.js';
import { inputOf, JOB_KINDS, type JobKind, type Place } from './job-kinds.js';
import { type Findings, judgeJob, type Outcome } from './judge.js';
import type { Node, Nodes } from './nodes.js';
import { patiently } from './patience.js';

/** A job that is under way. */
interface Launched {
  readonly kind: JobKind;
  readonly target: string;
  readonly jobId: string;
}

export interface Workload {
  /** Jobs that succeeded and were judged. */
  readonly done: () => number;
  /** Jobs that were given up, because their workers or their tries were used up, and that were tried again by hand. */
  readonly redriven: () => number;
  /** Launches whose answer did not come, or was an error, and that were asked for again. */
  readonly repeatedLaunches: () => number;
  /** Launches nothing more; resolves when all has come to its end. */
  finish(): Promise<void>;
}

const LOOK_MS = 100;
/** When nothing happens for so long, nothing will. */
const PATIENCE_MS = 90_000;

const nodeOf = async (nodes: Nodes): Promise<Node> => {
  const alive = nodes.alive();
  const node = alive[Math.floor(Math.random() * alive.length)];
  if (node === undefined) throw new Error('no process answers');
  return node;
};

const clientOf = ({ url, token }: Node) => createApiClient({ url, token });

/** Launches by a key, as often as it takes to get an answer. */
export async function launch(
  nodes: Nodes,
  input: Readonly<Record<string, unknown>>,
  onAgain: () => void = () => undefined,
): Promise<string> {
  let isAgain = false;
  return patiently(async () => {
    if (isAgain) onAgain();
    isAgain = true;
    const api = clientOf(await nodeOf(nodes));
    const { job, userErrors } = (await api.request(LAUNCH, { input })).launchEtlJob;
    if (job === null) throw new Error(`refused: ${JSON.stringify(userErrors)}`);
    return job.id;
  });
}

/** Keeps so many jobs under way, of every kind in turn, and judges each that has succeeded. */
export function startWorkload(
  nodes: Nodes,
  place: Place,
  expected: ReadonlyMap<JobKind, Outcome>,
  findings: Findings,
  size: number,
): Workload {
  const open = new Map<string, Launched>();
  const counts = { launched: 0, done: 0, redriven: 0, again: 0 };
  let isOver = false;

  async function launchOne(): Promise<void> {
    const number = counts.launched;
    counts.launched += 1;
    const kind = JOB_KINDS[number % JOB_KINDS.length];
    if (kind === undefined) return;
    const target = `target_${number}`;
    await patiently(() => kind.remove(place, target).then(() => kind.prepare(place, target)));
    const jobId = await launch(nodes, inputOf(kind, target), () => {
      counts.again += 1;
    });
    open.set(jobId, { kind, target, jobId });
  }

  async function redrive({ jobId }: Launched): Promise<void> {
    counts.redriven += 1;
    await clientOf(await nodeOf(nodes)).request(RETRY, { input: { id: jobId } });
  }

  async function look(): Promise<void> {
    const { rows } = await place.pool.query<{ id: string; state: string; error: { code?: string } | null }>(
      'select id, state, error from sluice.job where id = any($1)',
      [[...open.keys()]],
    );
    for (const { id, state, error } of rows) {
      const job = open.get(id);
      if (job === undefined) continue;
      if (state === 'SUCCEEDED') {
        await judgeJob(place, job, known(job.kind), findings);
        await job.kind.remove(place, job.target);
        counts.done += 1;
        open.delete(id);
      } else if (state === 'DEAD' || (state === 'AWAITING_DECISION' && error?.code === 'RETRIES_EXHAUSTED')) {
        await redrive(job);
      } else if (['AWAITING_DECISION', 'FAILED', 'CANCELLED'].includes(state)) {
        findings.lost.push(`${job.kind.name} ${job.target} ${id}: ${state} ${JSON.stringify(error)}`);
        open.delete(id);
      }
    }
  }

  function known(kind: JobKind): Outcome {
    const outcome = expected.get(kind);
    if (outcome === undefined) throw new Error(`what ${kind.name} leaves behind is not known`);
    return outcome;
  }

  async function launching(): Promise<void> {
    while (!isOver) {
      if (open.size < size) await launchOne();
      else await sleep(LOOK_MS);
    }
  }

  async function looking(): Promise<void> {
    let lastDone = 0;
    let lastChange = performance.now();
    while (!isOver || open.size > 0) {
      // A server that is being broken says nothing now, and later all of it.
      await look().catch(() => undefined);
      if (counts.done !== lastDone) [lastDone, lastChange] = [counts.done, performance.now()];
      if (performance.now() - lastChange > PATIENCE_MS) {
        findings.lost.push(...(await describeStanding(place, [...open.keys()])));
        return;
      }
      await sleep(LOOK_MS);
    }
  }

  const running = Promise.all([launching(), looking()]);
  running.catch(() => undefined);
  return {
    done: () => counts.done,
    redriven: () => counts.redriven,
    repeatedLaunches: () => counts.again,
    async finish() {
      isOver = true;
      await running;
    },
  };
}

/** What there is to know of jobs that do not move: their parts, their last events, and what the server is at. */
async function describeStanding({ pool }: Place, ids: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ job: unknown; chunks: unknown; events: unknown }>(
    `select to_jsonb(job) - 'spec' - 'compiled_sql' as job,
       (select jsonb_agg(to_jsonb(chunk) - 'uri' order by ordinal) from sluice.chunk as chunk
         where job_id = job.id and state = 'PENDING') as chunks,
       (select jsonb_agg(concat_ws(' ', seq, at, kind, state, stage, message) order by seq) from sluice.job_event
         where job_id = job.id and seq > job.last_seq - 12) as events
     from sluice.job as job where id = any($1)`,
    [ids],
  );
  const { rows: activity } = await pool.query(
    `select pid, application_name, state, wait_event, age(statement_timestamp(), xact_start)::text as since,
       left(query, 120) as query, pg_blocking_pids(pid) as blocked_by
     from pg_stat_activity where state <> 'idle' and pid <> pg_backend_pid()`,
  );
  return [...rows, { activity }].map((row) => `stands still: ${JSON.stringify(row)}`);
}
