import type { Command } from 'commander';
import { EXIT, type ExitCode, usageFailure } from './client-failure.js';
import type { Session } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import { refuseMistakes } from './refuse-mistakes.js';
import type { InSession } from './run-command.js';
import { POLICIES, SIMULATE } from './simulation-operations.js';
import { readSpecFile } from './spec-file.js';
import { timeLine } from './time-line.js';
import { CLASS_WORDS, oneOf } from './words.js';

interface SimulateOptions extends ClientOptions {
  readonly class?: string;
  readonly owner?: string;
}

export function registerSimulate(program: Command, inSession: InSession): Command[] {
  const simulate = program
    .command('simulate')
    .argument('[policy]', 'name of a stored policy, or a file (.yaml, .json) as saveEscalationPolicy takes it')
    .description('draw who would be asked, and when, if everybody stays silent')
    .option(
      '--class <class>',
      'failure class; without a policy, the one for all pipelines is taken',
      oneOf(CLASS_WORDS),
    )
    .option('--owner <agent>', 'who answers for what fails (default: layer-12)')
    .action((policy: string | undefined, options: SimulateOptions) =>
      inSession(options, (session) => simulateOne(session, policy, options)),
    );
  return [simulate];
}

async function simulateOne(session: Session, name: string | undefined, options: SimulateOptions): Promise<ExitCode> {
  const { api, reporter } = session;
  const which = await chosen(session, name, options.class);
  const input = { ...which.input, ...(options.owner !== undefined && { owner: options.owner }) };
  const { simulation, userErrors } = (await api.request(SIMULATE, { input })).simulateEscalation;
  refuseMistakes(userErrors);
  if (simulation === null) throw usageFailure('The gateway answered no simulation.');
  const title = `${which.title}; owner ${options.owner ?? 'layer-12'}; everybody stays silent:`;
  reporter.answer('simulation', { ...simulation }, [title, '', ...timeLine(simulation)]);
  return EXIT.ok;
}

interface Chosen {
  readonly title: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const isFile = (name: string): boolean => /\.(ya?ml|json)$/i.test(name);

/** @throws ClientFailure when there is no such policy, or it is for another class */
async function chosen({ api }: Session, name: string | undefined, failureClass: string | undefined): Promise<Chosen> {
  if (name !== undefined && isFile(name)) {
    const draft = await readSpecFile(name, 'policy');
    return {
      title: `Policy ${name}`,
      input: { draft: failureClass === undefined ? draft : { ...draft, failureClass } },
    };
  }
  if (name === undefined && failureClass === undefined) throw usageFailure('Name a policy, or a --class.');
  const { escalationPolicies: stored } = await api.request(POLICIES, {});
  const policy = stored.find(({ id, pipeline, failureClass: itsClass }) =>
    name === undefined ? itsClass === failureClass && pipeline === null : id === name,
  );
  if (policy === undefined && name === undefined)
    throw usageFailure(`Nobody is asked about ${failureClass}, and so no policy is for it.`);
  if (policy === undefined) {
    const known = stored.map(({ id }) => id).join(', ');
    throw usageFailure(`There is no policy ${name}; there are ${known}.`);
  }
  if (failureClass !== undefined && policy.failureClass !== failureClass)
    throw usageFailure(`The policy ${policy.id} is for ${policy.failureClass}, not for ${failureClass}.`);
  return {
    title: `Policy ${policy.id}${policy.version === 0 ? '' : `, version ${policy.version}`}, for ${policy.failureClass}`,
    input: { policyId: policy.id },
  };
}
