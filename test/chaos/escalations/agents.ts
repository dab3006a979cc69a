import { setTimeout as sleep } from 'node:timers/promises';
import type { NotificationMessage } from '../../../escalation/notifiers/message.js';
import type { OrgChart } from '../../../escalation/org-chart.js';
import type { EscalationService } from '../../../escalation/service.js';
import { SluiceError } from '../../../src/core/errors.js';
import { seededFor } from '../../support/seeded.js';
import { ACTS, type Act, habitOf, type Moment } from './acts.js';

/** A write that was accepted and changed the escalation. */
export interface AcceptedWrite {
  readonly kind: Act;
  readonly agent: string;
}

export interface Agents {
  /** `<escalation> <version that the write made>`: what has to stand in the log. */
  readonly accepted: ReadonlyMap<string, AcceptedWrite>;
  /** Writes that somebody else was faster than, and those that the state table refused. */
  readonly counts: { conflicts: number; refusals: number };
  /** Writes that failed in any other way: none should. */
  readonly failures: readonly string[];
  hear(tenant: string, message: NotificationMessage): void;
  /** They do nothing any more; resolves when what is in hand is done. */
  stop(): Promise<void>;
}

const LONGEST_THOUGHT_MS = 1_200;
/** Agents look again when somebody was faster, but not for ever. */
const TURNS = 3;

/** Agents who answer at random what reaches them, through the service that the API stands on. */
export function startAgents(service: EscalationService, chart: OrgChart, seed: number): Agents {
  const accepted = new Map<string, AcceptedWrite>();
  const counts = { conflicts: 0, refusals: 0 };
  const failures: string[] = [];
  const busy = new Set<Promise<void>>();
  let isStopped = false;

  async function live(tenant: string, { data: asked }: NotificationMessage): Promise<void> {
    const { pipeline, round, step, agent, escalationId: id } = asked;
    const random = seededFor(seed, `${pipeline} ${round} ${step} ${agent}`);
    let version: number | undefined = asked.version;
    for (const act of habitOf(random)) {
      await sleep(random() * LONGEST_THOUGHT_MS);
      if (isStopped || version === undefined) return;
      const seen = { id, expectedVersion: version };
      version = await write(act, { service, chart, caller: { tenant, agent }, seen, asked, random });
    }
  }

  /** @returns the version afterwards, or undefined when it came to nothing */
  async function write(act: Act, moment: Moment): Promise<number | undefined> {
    const { id } = moment.seen;
    let version = moment.seen.expectedVersion;
    for (let turn = 0; turn < TURNS; turn += 1) {
      const written = await ACTS[act]({ ...moment, seen: { id, expectedVersion: version } });
      if (written.kind === 'CONFLICT') {
        counts.conflicts += 1;
        version = written.current.version;
        continue;
      }
      const after = written.escalation.version;
      const isChange = act !== 'COMMENT' && after !== version;
      if (isChange) accepted.set(`${id} ${after}`, { kind: act, agent: moment.caller.agent });
      return after;
    }
    return undefined;
  }

  function hear(tenant: string, message: NotificationMessage): void {
    if (isStopped || message.type !== 'escalation.asked') return;
    const life = live(tenant, message)
      .catch((error: unknown) => {
        if (error instanceof SluiceError && error.isUserError) counts.refusals += 1;
        else failures.push(String(error));
      })
      .finally(() => busy.delete(life));
    busy.add(life);
  }

  return {
    accepted,
    counts,
    failures,
    hear,
    async stop() {
      isStopped = true;
      await Promise.all(busy);
    },
  };
}
