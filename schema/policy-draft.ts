import type { Policy, Target } from '../escalation/policy.js';
import { type InputPath, SluiceError, UserErrors } from '../src/core/errors.js';
import type { EscalationPolicyInput, EscalationPolicyStepInput, EscalationTargetInput } from './policy.inputs.js';

/**
 * The policy that an input stands for, not yet checked beyond what the schema says.
 * @throws UserErrors EXACTLY_ONE_MEMBER for targets with no member or both
 */
export function policyDraft(input: EscalationPolicyInput): Omit<Policy, 'version'> {
  refuseUnclearTargets(input);
  const { id, failureClass, pipeline, steps, repeat, ackTimeout, groupWindow, maintenance, autoResolve } = input;
  return {
    id,
    failureClass,
    pipeline: pipeline ?? null,
    steps: steps.map(draftedStep),
    repeat,
    ackTimeoutMs: ackTimeout,
    groupWindowMs: groupWindow,
    maintenance: maintenance.map(({ from, to }) => ({ from, to })),
    autoResolve,
    endAction: input.endAction,
    catchUp: input.catchUp,
  };
}

function draftedStep(step: EscalationPolicyStepInput): Policy['steps'][number] {
  const { ask, tell, wait, channels, onEmpty, allowedVerdicts, quorum } = step;
  return {
    ask: ask.flatMap(targets),
    tell: tell.flatMap(targets),
    waitMs: wait,
    channels,
    onEmpty,
    allowedVerdicts,
    quorum,
  };
}

/** One target: unclear ones have been refused before. */
function targets({ role, agent }: EscalationTargetInput): Target[] {
  if (role) return [{ role }];
  return typeof agent === 'string' ? [{ agent }] : [];
}

function refuseUnclearTargets({ steps }: EscalationPolicyInput): void {
  const mistakes = steps.flatMap((step, i) =>
    (['ask', 'tell'] as const).flatMap((member) =>
      step[member].flatMap(({ role, agent }, j) => {
        if (Boolean(role) !== (typeof agent === 'string')) return [];
        const path = ['steps', i, member, j];
        return [new SluiceError('EXACTLY_ONE_MEMBER', 'Set exactly one of `role` and `agent`.', { path })];
      }),
    ),
  );
  const [first, ...rest] = mistakes;
  if (first) throw new UserErrors([first, ...rest]);
}

/** Members of a policy that the API names otherwise: a Duration carries its unit. */
const API_NAMES: Readonly<Record<string, string>> = {
  waitMs: 'wait',
  ackTimeoutMs: 'ackTimeout',
  groupWindowMs: 'groupWindow',
};

function apiPath(path: InputPath): InputPath {
  return path.map((part) => (typeof part === 'string' ? (API_NAMES[part] ?? part) : part));
}

/** Members of what is asked that stand beside the draft. */
const BESIDE: ReadonlySet<unknown> = new Set(['behaviour', 'owner', 'expectedVersion']);

/** Where the caller has written what the service calls by its path within a draft: below `member`. */
export const draftAt =
  (member: string) =>
  (path: InputPath): InputPath =>
    BESIDE.has(path[0]) ? path : [member, ...apiPath(path)];

/** Runs what complains in the service's words, with the paths of its complaints as the caller knows them. */
export async function withPaths<Answer>(
  rename: (path: InputPath) => InputPath,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const placed = ({ code, message, path, failureClass, details, cause }: SluiceError): SluiceError =>
    new SluiceError(code, message, { path: rename(path ?? []), failureClass, ...(details && { details }), cause });
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserErrors) {
      const [first, ...rest] = error.errors;
      throw new UserErrors([placed(first), ...rest.map(placed)]);
    }
    throw error instanceof SluiceError && error.isUserError ? placed(error) : error;
  }
}
