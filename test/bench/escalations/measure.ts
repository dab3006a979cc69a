import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Figure } from '../figures.js';
import { cpuSeconds, postgresCpuSeconds, postmasterOf } from '../process-figures.js';
import { percentile } from '../statistics.js';
import type { Agents } from './agents.js';
import { committedSteps, type Due, makeDue } from './open-rows.js';
import type { Arrival } from './run-agents.js';

export interface Setting {
  readonly db: Client;
  /** Processes of the escalators. */
  readonly pids: readonly number[];
  readonly agents: Agents;
  readonly tell: (line: string) => void;
}

/** Until the first is due: nothing of the preparation is measured. */
const LEAD_SECONDS = 3;

/** A few hundred steps a second are due all the time, beside many that are not: the rest of the ladder's life. */
export async function measureTrickle(
  { db, agents, tell }: Setting,
  perSecond: number,
  seconds: number,
): Promise<Figure[]> {
  const due = await makeDue(db, perSecond * seconds, LEAD_SECONDS, seconds);
  tell(`${perSecond} due a second for ${seconds} s`);
  await sleep((LEAD_SECONDS + seconds) * 1_000);
  const arrivals = await everyArrival(agents, due, 30);
  const committed = (await committedSteps(db, due)).map((step) => step.committedAt - dueOf(due, step.escalation));
  const arrived = [...arrivals.values()].map((arrival) => arrival.at - dueOf(due, arrival.escalation));
  const note = `${due.dueAt.size} steps`;
  const ms = 'ms';
  return [
    { name: 'due to committed outbox row, p50', value: percentile(committed, 0.5), unit: ms, note },
    { name: 'due to committed outbox row, p99', value: percentile(committed, 0.99), unit: ms, objective: { max: 50 } },
    { name: 'due to committed outbox row, max', value: Math.max(...committed), unit: ms, objective: { max: 250 } },
    { name: "due to the agent's first byte, p50", value: percentile(arrived, 0.5), unit: ms, note },
    { name: "due to the agent's first byte, p99", value: percentile(arrived, 0.99), unit: ms, objective: { max: 250 } },
    { name: "due to the agent's first byte, max", value: Math.max(...arrived), unit: ms },
  ];
}

/** All in the same second. */
export async function measureBurst({ db, agents, pids, tell }: Setting, count: number): Promise<Figure[]> {
  const due = await makeDue(db, count, LEAD_SECONDS, 1);
  const first = Math.min(...due.dueAt.values());
  const last = Math.max(...due.dueAt.values());
  tell(`${count} due within a second`);
  await sleep(first - Date.now());
  const cpu = async () => ({
    escalators: await cpuOf(pids),
    postgres: await postgresCpuSeconds(await postmasterOf(db)),
  });
  const before = await cpu();
  const arrivals = [...(await everyArrival(agents, due, 180)).values()];
  const after = await cpu();
  const steps = await committedSteps(db, due);
  const committed = Math.max(...steps.map(({ committedAt }) => committedAt)) - last;
  const delivered = Math.max(...arrivals.map(({ at }) => at)) - last;
  return [
    { name: `${count} due at once: all claimed`, value: committed / 1_000, unit: 's', objective: { max: 3 } },
    { name: `${count} due at once: all delivered`, value: delivered / 1_000, unit: 's', objective: { max: 60 } },
    {
      name: 'fairness between agents',
      value: fairness(arrivals),
      unit: '',
      objective: { min: 0.9 },
      note: "Jain's index of the calls each had when half were made; 1 is even",
    },
    { name: 'CPU of the escalators for it', value: after.escalators - before.escalators, unit: 's' },
    { name: 'CPU of PostgreSQL for it', value: after.postgres - before.postgres, unit: 's' },
  ];
}

const cpuOf = async (pids: readonly number[]): Promise<number> =>
  (await Promise.all(pids.map(cpuSeconds))).reduce((sum, seconds) => sum + seconds, 0);

const dueOf = ({ dueAt }: Due, escalation: string): number => dueAt.get(escalation) ?? Number.NaN;

/** Waits until each has come, and keeps the first of each `webhook-id`. @throws Error when some do not come in time */
async function everyArrival(agents: Agents, due: Due, withinSeconds: number): Promise<ReadonlyMap<string, Arrival>> {
  const first = new Map<string, Arrival>();
  const end = performance.now() + withinSeconds * 1_000;
  for (;;) {
    for (const arrival of await agents.take()) {
      if (due.dueAt.has(arrival.escalation) && !first.has(arrival.id)) first.set(arrival.id, arrival);
    }
    if (first.size >= due.dueAt.size) return first;
    if (performance.now() > end) throw new Error(`Only ${first.size} of ${due.dueAt.size} notifications arrived.`);
    await sleep(250);
  }
}

/** Jain, Chiu, Hawe 1984: (sum x)^2 / (n sum x^2). */
function fairness(arrivals: readonly Arrival[]): number {
  const inOrder = [...arrivals].sort((a, b) => a.at - b.at);
  const calls = new Map(inOrder.map(({ agent }) => [agent, 0]));
  for (const { agent } of inOrder.slice(0, inOrder.length / 2)) calls.set(agent, (calls.get(agent) ?? 0) + 1);
  const counts = [...calls.values()];
  const sum = counts.reduce((total, count) => total + count, 0);
  return sum ** 2 / (counts.length * counts.reduce((total, count) => total + count ** 2, 0));
}
