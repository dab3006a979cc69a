import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../src/config.js';
import { createLog } from '../../../src/core/log.js';
import { seededFor } from '../../support/seeded.js';
import { startAgents } from './agents.js';
import { readFeed } from './feed-reader.js';
import { type Fleet, type Outage, startFleet } from './fleet.js';
import { type Inbox, openInbox } from './inbox.js';
import { type Judgement, judge } from './judge.js';
import { killPlan } from './kill-plan.js';
import { type EscalationProcess, openEscalationProcess } from './open-process.js';
import { settled } from './settle.js';
import { shortPolicies } from './short-policies.js';
import { startWorkload, TENANTS } from './workload.js';

export interface ChaosOptions {
  /** A migrated database that nobody else uses. */
  readonly databaseUrl: string;
  /** An empty folder. */
  readonly folder: string;
  readonly seed: number;
  readonly kills: number;
  /** Between two kills, on average. */
  readonly pauseMs: number;
  /** Escalations that move at any time. */
  readonly open: number;
  readonly tell: (line: string) => void;
}

export interface ChaosResult extends Judgement {
  readonly kills: number;
  readonly tries: number;
  /** Tries that came although the agent had taken an earlier one. */
  readonly repeats: number;
  readonly writes: { readonly accepted: number; readonly conflicts: number; readonly refusals: number };
  readonly outages: readonly Outage[];
  /** From the first kill until the last killed process was replaced; milliseconds of the wall clock. */
  readonly from: number;
  readonly to: number;
  readonly complaints: Fleet['complaints'];
}

/** Each of them moves and delivers, as the escalator role does. */
const PROCESSES = 2;
/** When nothing happens for so long, nothing will. */
const PATIENCE_MS = 30_000;
const TOLD_EVERY = 50;
const CHART = fileURLToPath(new URL('../../../escalation/esa-org-chart.json', import.meta.url));

/** Kills escalators for as long as it takes, lets everything come to its end, and judges what is left. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { databaseUrl, folder, seed, kills, pauseMs, open, tell } = options;
  const env = {
    DATABASE_URL: databaseUrl,
    SLUICE_HOME: folder,
    SLUICE_ORG_CHART: CHART,
    SLUICE_WEBHOOK_ALLOW: '127.0.0.1',
    SLUICE_LOG_LEVEL: 'warn',
  };
  const parts = await openEscalationProcess(loadConfig(env), createLog('warn'));
  const service = parts.escalations.service();
  const inbox = await openInbox(seed);
  const closers: (() => Promise<void>)[] = [parts.close, inbox.close];
  try {
    await introduce(parts, inbox);
    const feeds = TENANTS.map((tenant) => ({ tenant, feed: readFeed(service, tenant) }));
    closers.push(...feeds.map(({ feed }) => feed.stop));
    const agents = startAgents(service, parts.chart, seed);
    inbox.onMessage(agents.hear);
    closers.push(agents.stop);
    const fleet = await startFleet(PROCESSES, folder, env);
    closers.push(fleet.stop);
    const workload = startWorkload(parts, seed, open);
    closers.push(workload.stop);

    const from = Date.now();
    await killAll(fleet, seed, kills, pauseMs, tell);
    const to = Date.now();
    tell('letting everything come to its end');
    await workload.stop();
    await agents.stop();
    await settled(parts.stores.pool, PATIENCE_MS);
    await fleet.stop();

    tell('judging');
    const judgement = await judge(parts, inbox, agents);
    const { findings } = judgement;
    for (const { feed, tenant } of feeds) {
      const last = await service.lastLogSeq(tenant);
      await feed.reads(last).catch(() => findings.log.push(`${tenant}: a reader did not get row ${last}`));
      findings.log.push(...feed.gaps);
    }
    findings.writes.push(...agents.failures, ...workload.failures);
    const receipts = [...inbox.receipts.values()];
    return {
      ...judgement,
      kills,
      tries: receipts.reduce((sum, { tries }) => sum + tries, 0),
      repeats: receipts.reduce((sum, { repeats }) => sum + repeats, 0),
      writes: { accepted: agents.accepted.size, ...agents.counts },
      outages: fleet.outages,
      from,
      to,
      complaints: fleet.complaints,
    };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Policies and the webhooks of all agents, for each tenant. */
async function introduce({ escalations, chart }: EscalationProcess, inbox: Inbox): Promise<void> {
  const service = escalations.service();
  const policies = shortPolicies(new Date());
  for (const tenant of TENANTS) {
    const caller = { tenant, agent: 'agent-0' };
    for (const policy of policies) await service.savePolicy(caller, policy, 0);
    for (const { id: agent } of chart.agents) {
      const contact = { agent, channel: 'WEBHOOK', address: inbox.addressOf(tenant, agent), isEnabled: true } as const;
      await service.saveContact(caller, contact, inbox.secret);
    }
  }
}

async function killAll(
  fleet: Fleet,
  seed: number,
  kills: number,
  pauseMs: number,
  tell: (line: string) => void,
): Promise<void> {
  let done = 0;
  for (const { slot, afterMs, isHasty } of killPlan(seededFor(seed, 'kills'), kills, PROCESSES, pauseMs)) {
    await sleep(afterMs);
    if (!isHasty) await fleet.allReady();
    await fleet.kill(slot);
    done += 1;
    if (done % TOLD_EVERY === 0) tell(`${done} of ${kills} kills`);
  }
  await fleet.allReady();
}
