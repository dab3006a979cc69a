import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { chosen, seededFor } from '../../support/seeded.js';
import { measureCancels } from './cancel.js';
import { breakEnvironment, type EnvironmentFault, faultsOf } from './environment.js';
import type { StatementFault } from './fault.js';
import { floodAndFlush } from './flushall.js';
import { inputOf, JOB_KINDS, type JobKind, type Place, writeSources } from './job-kinds.js';
import { type Findings, noFindings, type Outcome, readOutcome } from './judge.js';
import { type Node, type Nodes, startNodes } from './nodes.js';
import { patiently } from './patience.js';
import { planPoints, type StatementPoint } from './plan.js';
import { measureRecovery } from './recovery.js';
import { playScenarios, type ScenarioResult } from './scenarios.js';
import { type QueueEngine, type Servers, startServers } from './servers.js';
import { leasesRunOut, retriesAreDue } from './time.js';
import { launch, startWorkload } from './workload.js';

export interface ChaosOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly engine: QueueEngine;
  readonly seed: number;
  /** How often something is broken. */
  readonly points: number;
  /** Jobs that are cancelled while they run. */
  readonly cancels: number;
  /** Whether the faults of benchmarks of queues are played too, each with the throughput before and after it. */
  readonly scenarios: boolean;
  /** Jobs that wait when Redis loses all that it has; 0 for none of that. */
  readonly flood: number;
  /** Workers that are killed in the middle of a part while nobody moves the time. */
  readonly recoveries: number;
  readonly tell: (line: string) => void;
}

export interface ChaosResult {
  readonly findings: Findings;
  readonly statements: number;
  readonly struck: ReadonlyMap<StatementFault | EnvironmentFault, number>;
  /** Points whose statement did not come. */
  readonly missed: number;
  readonly jobs: number;
  readonly redriven: number;
  readonly repeatedLaunches: number;
  /** From a SIGKILL in the middle of a part until its job went on elsewhere. */
  readonly recoveryMs: readonly number[];
  /** From a cancel until the worker has stopped. */
  readonly cancelMs: readonly number[];
  readonly scenarios: readonly ScenarioResult[];
  /** From a FLUSHALL until every job that waits has a hint again. */
  readonly floodMs: number | undefined;
}

const PROCESSES = 3;
const JOBS_AT_ONCE = 6;
/** A statement that has not come by then is not to be had now. */
const REACHED_WITHIN_MS = 3_000;
const TOLD_EVERY = 50;
const DUE_EVERY_MS = 200;

/** Breaks whatever can break while jobs run, lets everything come to its end, and judges what is left. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { folder, engine, seed, tell } = options;
  const findings = noFindings();
  const data = join(folder, 'data');
  await mkdir(data);
  await writeSources(data, seed);
  const servers = await startServers(folder, engine);
  const strikes = new Strikes();
  const nodes = await startNodes({
    size: PROCESSES,
    env: {
      DATABASE_URL: servers.proxy.url,
      FAULT_DATABASE_URL: servers.databaseUrl,
      ...(servers.redis && { REDIS_URL: servers.redis.url }),
      SLUICE_HOME: join(folder, 'home'),
      SLUICE_DATA_DIRS: data,
      SLUICE_CONNECTIONS: JSON.stringify({ warehouse: servers.warehouseUrl }),
      SLUICE_ENGINE_THREADS: '1',
    },
    onFired: (id) => strikes.fired(id),
    onDeath(node, { signal, code, log }) {
      strikes.died(node);
      if (signal !== 'SIGKILL') findings.crashes.push(`process ${node.pid} ended with ${signal ?? code}: ${log}`);
      if (!strikes.isTimeLeftAlone) void patiently(() => leasesRunOut(servers.pool, node.pid)).catch(() => undefined);
    },
  });
  const place: Place = { pool: servers.pool, warehouse: servers.warehouse, folder: data };
  try {
    const { expected, keys } = await cleanRun(nodes, place);
    tell(`${keys.length} statements`);
    const due = setInterval(() => void retriesAreDue(servers.pool).catch(() => undefined), DUE_EVERY_MS);
    const workload = startWorkload(nodes, place, expected, findings, JOBS_AT_ONCE);
    try {
      await strikeAll(options, servers, nodes, strikes, keys);
      tell('letting everything come to its end');
      await workload.finish();
    } finally {
      clearInterval(due);
    }
    strikes.isTimeLeftAlone = true;
    const recoveryMs = await measureRecovery(nodes, place, keys, strikes, options.recoveries);
    const cancelMs = await measureCancels(nodes, place, seed, options.cancels);
    const scenarios = options.scenarios ? await playScenarios(nodes, servers, findings, tell) : [];
    const floodMs = await floodAndFlush(nodes, servers, options.flood, findings, tell);
    return {
      findings,
      statements: keys.length,
      struck: strikes.counts,
      missed: strikes.missed,
      jobs: workload.done(),
      redriven: workload.redriven(),
      repeatedLaunches: workload.repeatedLaunches(),
      recoveryMs,
      cancelMs,
      scenarios,
      floodMs,
    };
  } finally {
    await nodes.stop();
    await servers.close();
  }
}

/** One job of each kind without faults: what it leaves behind, and every statement that is run for it. */
async function cleanRun(nodes: Nodes, place: Place) {
  const expected = new Map<JobKind, Outcome>();
  for (const node of nodes.alive()) await node.counts();
  for (const [i, kind] of JOB_KINDS.entries()) {
    const target = `clean_${i}`;
    await kind.prepare(place, target);
    const jobId = await launch(nodes, inputOf(kind, target));
    await eventually(async () => {
      const { rows } = await place.pool.query<{ state: string; error: unknown }>(
        'select state, error from sluice.job where id = $1',
        [jobId],
      );
      if (rows[0]?.error) throw new Error(`${kind.name}: ${JSON.stringify(rows[0])}`);
      return rows[0]?.state === 'SUCCEEDED';
    }, 60_000);
    expected.set(kind, await readOutcome(place, kind, target, jobId));
    await kind.remove(place, target);
  }
  const counts = await Promise.all(nodes.alive().map((node) => node.counts()));
  const keys = [...new Set(counts.flatMap((each) => Object.keys(each)))].sort();
  return { expected, keys };
}

/** Which process is to break next, and what came of it. */
export class Strikes {
  readonly counts = new Map<StatementFault | EnvironmentFault, number>();
  missed = 0;
  /** Whether killed processes are to be noticed by their leases, in their own time. */
  isTimeLeftAlone = false;
  #lastId = 0;
  readonly #armed = new Map<number, { readonly node: Node; readonly done: (isStruck: boolean) => void }>();

  /** Arms a process. @returns what resolves once it is struck, and takes it back */
  arm(node: Node, { kind, moment, key, nth }: StatementPoint) {
    this.#lastId += 1;
    const id = this.#lastId;
    const struck = new Promise<boolean>((done) => this.#armed.set(id, { node, done }));
    node.arm({ id, kind, moment, key, nth });
    const disarm = () => {
      this.#armed.delete(id);
      node.arm(null);
    };
    return { struck, disarm };
  }

  /** Waits for the statement, and gives it up after a while. */
  async statement(node: Node, point: StatementPoint): Promise<void> {
    const { struck, disarm } = this.arm(node, point);
    const isStruck = await Promise.race([struck, sleep(REACHED_WITHIN_MS, false)]);
    disarm();
    if (isStruck) this.count(point.kind);
    else this.missed += 1;
  }

  count(kind: StatementFault | EnvironmentFault): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  fired(id: number): void {
    this.#armed.get(id)?.done(true);
  }

  died(node: Node): void {
    for (const each of this.#armed.values()) if (each.node === node) each.done(true);
  }
}

/** Every slot goes through points of its own at the same time as the others. */
async function strikeAll(
  { seed, points, tell }: ChaosOptions,
  servers: Servers,
  nodes: Nodes,
  strikes: Strikes,
  keys: readonly string[],
): Promise<void> {
  const plan = planPoints(seededFor(seed, 'points'), keys, points * 3, faultsOf(servers))[Symbol.iterator]();
  let told = 0;
  async function striker(slot: number): Promise<void> {
    const random = seededFor(seed, `slot ${slot}`);
    for (const point of plan) {
      if (strikes.total() >= points) return;
      await eventually(() => nodes.at(slot)?.isAlive() ?? false, 120_000);
      const node = nodes.at(slot);
      if (node === undefined) continue;
      if (point.at === 'environment') {
        await breakEnvironment(point.kind, servers, chosen(nodes.alive(), random));
        strikes.count(point.kind);
      } else await strikes.statement(node, point);
      if (strikes.total() - told >= TOLD_EVERY) {
        told += TOLD_EVERY;
        tell(`${told} of ${points} points, ${strikes.missed} statements did not come`);
      }
    }
  }
  await Promise.all(Array.from({ length: PROCESSES }, (_, slot) => striker(slot)));
  await nodes.allReady();
}
