import { SluiceError } from '../src/core/errors.js';
import type { Policy } from './policy.js';
import type { SimulateInput, Simulation } from './service.js';
import { agentsOf, SimulationRun } from './simulation-run.js';
import type { RoleLookup } from './transition.js';
import { unknownAgent } from './unknown-agent.js';

/** Enough for everybody on a ladder; with the limit on events it bounds the work. */
const MAX_BEHAVIOURS = 50;
const MAX_AFTER_MS = 366 * 24 * 3_600_000;

/**
 * What would happen from a failure at `from` on, in virtual time, by the same table that the engine follows. The worst
 * cases are those of silence: whoever acknowledges has more time.
 * @throws SluiceError UNKNOWN_AGENT, INVALID_INPUT with paths
 */
export function simulate(
  policy: Policy,
  owner: string,
  lookup: RoleLookup,
  behaviour: SimulateInput['behaviour'],
  from: Date = new Date(0),
): Simulation {
  const context = { policy, owner, lookup };
  if (behaviour.length > MAX_BEHAVIOURS) {
    throw new SluiceError('INVALID_INPUT', `At most ${MAX_BEHAVIOURS} things to do.`, { path: ['behaviour'] });
  }
  behaviour.forEach(({ agent, afterMs }, index) => {
    if (lookup(owner, { agent }).length === 0) throw unknownAgent(agent, ['behaviour', index, 'agent']);
    if (!(afterMs >= 0 && afterMs <= MAX_AFTER_MS)) {
      throw new SluiceError('INVALID_INPUT', 'From 0 to 366 days.', { path: ['behaviour', index, 'after'] });
    }
  });
  const silent = new SimulationRun(context, [], from).play();
  const ceo = lookup(owner, { role: 'CEO' });
  const asksCeo = silent.find(({ effects }) => agentsOf(effects, 'ASK').some((agent) => ceo.includes(agent)));
  const end = silent.find(({ event }) => event.status === 'HELD');
  const played = behaviour.length === 0 ? silent : new SimulationRun(context, behaviour, from).play();
  return {
    events: played.map(({ event }) => event),
    ceoAfterMs: asksCeo?.event.atMs ?? null,
    endAfterMs: end?.event.atMs ?? 0,
  };
}
