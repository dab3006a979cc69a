import { type InputPath, SluiceError, UserErrors } from '../src/core/errors.js';
import type { OrgChart } from './org-chart.js';
import type { Policy, PolicyStep, Target } from './policy.js';
import { roleLookup } from './role-lookup.js';
import { noSuchAgent } from './unknown-agent.js';

const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30 * 24 * 3_600_000;
const MAX_STEPS = 20;
const MAX_REPEAT = 100;
const MAX_WINDOWS = 100;
const MAX_WINDOW_MS = 366 * 24 * 3_600_000;

type Draft = Omit<Policy, 'version'>;
type Refuse = (path: InputPath, message: string, code?: 'POLICY_INVALID' | 'UNKNOWN_AGENT') => void;

/**
 * Refuses what could never do what it says: all mistakes at once, each with its path.
 * @throws UserErrors POLICY_INVALID, UNKNOWN_AGENT
 */
export function checkPolicy(policy: Draft, chart: OrgChart): void {
  const errors: SluiceError[] = [];
  const refuse: Refuse = (path, message, code = 'POLICY_INVALID') => {
    errors.push(new SluiceError(code, message, { path }));
  };
  checkWhole(policy, refuse);
  policy.steps.forEach((step, index) => {
    checkStep(step, chart, (path, ...rest) => refuse(['steps', index, ...path], ...rest));
  });
  checkReach(policy, chart, refuse);
  const [first, ...rest] = errors;
  if (first) throw new UserErrors([first, ...rest]);
}

function checkWhole(policy: Draft, refuse: Refuse): void {
  const { steps, repeat, maintenance } = policy;
  if (steps.length === 0) refuse(['steps'], 'A policy needs a step: somebody has to be asked.');
  if (steps.length > MAX_STEPS) refuse(['steps'], `At most ${MAX_STEPS} steps.`);
  if (!Number.isInteger(repeat) || repeat < 0 || repeat > MAX_REPEAT) {
    refuse(['repeat'], `From 0 to ${MAX_REPEAT} times.`);
  }
  for (const member of ['ackTimeoutMs', 'groupWindowMs'] as const) checkWait(policy[member], member, refuse);
  if (maintenance.length > MAX_WINDOWS) refuse(['maintenance'], `At most ${MAX_WINDOWS} maintenance windows.`);
  maintenance.forEach(({ from, to }, index) => {
    const path = ['maintenance', index, 'to'];
    if (!(from < to)) refuse(path, 'The maintenance window ends before it starts.');
    else if (to.getTime() - from.getTime() > MAX_WINDOW_MS)
      refuse(path, 'A maintenance window lasts at most 366 days.');
  });
}

function checkStep(step: PolicyStep, chart: OrgChart, refuse: Refuse): void {
  checkWait(step.waitMs, 'waitMs', refuse);
  if (step.ask.length === 0) refuse(['ask'], 'The step asks nobody.');
  if (step.channels.length === 0) refuse(['channels'], 'Without a channel nobody hears of the step.');
  refuseTwice(step.channels, 'channels', refuse);
  if (step.allowedVerdicts.length === 0) {
    refuse(['allowedVerdicts'], 'Whoever is asked needs a verdict to choose.');
  }
  refuseTwice(step.allowedVerdicts, 'allowedVerdicts', refuse);
  const targets = { ask: step.ask.map(nameOf), tell: step.tell.map(nameOf) };
  for (const member of ['ask', 'tell'] as const) {
    refuseTwice(targets[member], member, refuse);
    step[member].forEach((target, index) => {
      if (!('agent' in target) || chart.agent(target.agent)) return;
      refuse([member, index, 'agent'], noSuchAgent(target.agent), 'UNKNOWN_AGENT');
    });
  }
  targets.tell.forEach((name, index) => {
    if (targets.ask.includes(name)) refuse(['tell', index], `${name} is asked, and need not be told.`);
  });
  checkQuorum(step, chart, refuse);
}

function checkQuorum({ quorum, ask }: PolicyStep, chart: OrgChart, refuse: Refuse): void {
  const most = Math.max(1, ...askedOfOwners(ask, chart));
  if (!Number.isInteger(quorum) || quorum < 1) refuse(['quorum'], 'At least one agent decides.');
  else if (quorum > most) refuse(['quorum'], `The step asks at most ${most}, and ${quorum} of them can never agree.`);
}

/** A step that is never come to, or at which never anything happens. */
function checkReach({ steps, repeat }: Draft, chart: OrgChart, refuse: Refuse): void {
  const blocking = steps.findIndex((step) => step.onEmpty === 'HOLD' && asksNobody(step, chart));
  steps.forEach((step, index) => {
    const before = steps[index - 1];
    if (blocking >= 0 && index > blocking) {
      refuse(['steps', index], `The step is never reached: step ${blocking} has nobody to ask and holds for ever.`);
    } else if (before && sameTargets(before.ask, step.ask)) {
      refuse(['steps', index, 'ask'], `The step asks the same as step ${index - 1}: wait longer there instead.`);
    } else if (step.onEmpty === 'SKIP' && asksNobody(step, chart)) {
      refuse(['steps', index, 'ask'], 'Nobody stands behind these targets for any owner: the step is always skipped.');
    }
  });
  if (blocking >= 0 && repeat > 0) {
    refuse(['repeat'], `The ladder is never climbed again: step ${blocking} has nobody to ask and holds for ever.`);
  }
}

function checkWait(ms: number, member: string, refuse: Refuse): void {
  if (ms >= MIN_WAIT_MS && ms <= MAX_WAIT_MS) return;
  refuse([member], 'From 1 second to 30 days.');
}

function refuseTwice(names: readonly string[], member: string, refuse: Refuse): void {
  names.forEach((name, index) => {
    if (names.indexOf(name) < index) refuse([member, index], `${name} stands there twice.`);
  });
}

const nameOf = (target: Target): string => ('role' in target ? target.role : target.agent);

const sameTargets = (one: readonly Target[], other: readonly Target[]): boolean =>
  one.length > 0 && JSON.stringify(one.map(nameOf).toSorted()) === JSON.stringify(other.map(nameOf).toSorted());

/** An empty or unknown list is refused by its own name; here it is no obstacle. */
const asksNobody = ({ ask }: PolicyStep, chart: OrgChart): boolean =>
  ask.length > 0 && ask.every((target) => 'role' in target) && askedOfOwners(ask, chart).every((count) => count === 0);

/** How many the targets are for each agent as owner. */
function askedOfOwners(ask: readonly Target[], chart: OrgChart): readonly number[] {
  const lookup = roleLookup(chart);
  return chart.agents.map(({ id }) => new Set(ask.flatMap((target) => lookup(id, target))).size);
}
