import type { Clock } from '../src/core/clock.js';
import { startDueLoop } from '../src/core/due-loop.js';
import { applyVerdicts } from './apply-verdicts.js';
import { decideChange } from './decide-change.js';
import { ENGINE } from './decision.js';
import type { Escalation } from './escalation.js';
import { type IntakeContext, takeUp } from './intake.js';
import type { Policy } from './policy.js';
import type { Change } from './ports.js';
import { tell } from './tell-change.js';

export interface EscalationEngineOptions extends IntakeContext {
  /** Only for timers between looks: what is due, the database says. */
  readonly clock: Clock;
}

export interface EscalationEngine {
  /** Whether more steps are due than fit into one transaction; only for the first seconds of it. */
  isBehind(): boolean;
  /** Resolves when what is in hand is done. */
  stop(): Promise<void>;
}

/** How often it looks in case a wake-up was missed, or died with the process that was about to tell it. */
const POLL_MS = 500;
const REPORTS = 10;
/** A report that somebody died with, or that has to wait for a verdict to act, is taken up again after this. */
const REPORT_LEASE_MS = 1_000;
const TAKEN_MS = 20;
/** Steps in one transaction: a burst is worked off in pieces that other escalators can share. */
const STEPS = 500;
/** So long is whoever asks told that there is a burst; somebody who is behind all the time must not hold up others. */
const MOST_BEHIND_MS = 5_000;

/**
 * Takes up reports, moves ladders when they are due, and carries out verdicts. Any number may run on one database:
 * rows are claimed, and whatever one leaves undone another does.
 */
export async function startEscalationEngine(options: EscalationEngineOptions): Promise<EscalationEngine> {
  const { escalations, wake, clock, log } = options;

  async function takeReports(): Promise<number | null> {
    const leaseEnd = clock.monotonicMs() + REPORT_LEASE_MS;
    const reports = await escalations.takeReports(REPORTS, REPORT_LEASE_MS);
    for (const [index, report] of reports.entries()) {
      // Another escalator may have the rest by now; if not, they are ours again.
      if (index > 0 && clock.monotonicMs() >= leaseEnd) return 0;
      try {
        await takeUp(report, options);
      } catch (error) {
        log.warn({ report: report.id, reason: String(error) }, 'a failure report is taken up later');
      }
    }
    return reports.length === REPORTS ? 0 : null;
  }

  /** Since when, in monotonic milliseconds. */
  let behindSince: number | null = null;

  async function moveDue(): Promise<number | null> {
    try {
      return await moveAllDue();
    } finally {
      behindSince = null;
    }
  }

  async function moveAllDue(): Promise<number | null> {
    for (;;) {
      const tenants = new Set<string>();
      let isDecided = false;
      const moved = await escalations.due(STEPS, (escalation, policy, now) => {
        tenants.add(escalation.tenant);
        const change = dueChange(escalation, policy, now, options);
        isDecided ||= change.next.status === 'DECIDED';
        return change;
      });
      // An end action acts at once.
      if (isDecided) verdicts.wake();
      for (const tenant of tenants) await tell(wake, log, tenant, ['OUTBOX', 'LOG']);
      if (moved === STEPS) {
        behindSince ??= clock.monotonicMs();
        continue;
      }
      const nextMs = await escalations.nextDueMs();
      // Due, and in the hands of another escalator: no reason to ask without a pause.
      return nextMs === null ? null : Math.max(nextMs, moved === 0 ? TAKEN_MS : 0);
    }
  }

  async function carryOut(): Promise<number | null> {
    await applyVerdicts(options);
    return null;
  }

  const loopOf = (name: string, work: () => Promise<number | null>) =>
    startDueLoop({ name, work, pollMs: POLL_MS, clock, log });
  const reports = loopOf('failure reports', takeReports);
  const verdicts = loopOf('verdicts', carryOut);
  const steps = loopOf('escalation steps', moveDue);
  const heard = await Promise.all([
    wake.on('REPORT', () => reports.wake()),
    wake.on('DUE', () => {
      steps.wake();
      verdicts.wake();
    }),
  ]);

  return {
    isBehind: () => behindSince !== null && clock.monotonicMs() - behindSince < MOST_BEHIND_MS,
    async stop() {
      await Promise.all(heard.map((one) => one.stop()));
      await Promise.all([reports.stop(), steps.stop(), verdicts.stop()]);
    },
  };
}

/** What the passing of its due time makes of an escalation. Never throws: one that is broken must not keep the others. */
function dueChange(escalation: Escalation, policy: Policy, now: Date, context: EscalationEngineOptions): Change {
  const { state, id, owner } = escalation;
  const cause = { actor: ENGINE, dueAt: state.dueAt, comment: null };
  const event = { kind: 'DUE' } as const;
  try {
    return decideChange(escalation, event, now, cause, { policy, owner, lookup: context.lookup });
  } catch (error) {
    context.log.error({ escalation: id, reason: String(error) }, 'an escalation cannot go on, and is held');
    const comment = 'The ladder cannot go on; it is held until somebody decides.';
    return {
      escalation,
      event,
      next: { ...state, status: 'HELD', dueAt: null },
      effects: [],
      cause: { ...cause, comment },
    };
  }
}
