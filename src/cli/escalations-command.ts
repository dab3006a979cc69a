import { type Command, InvalidArgumentError } from 'commander';
import { ClientFailure, EXIT, type ExitCode } from './client-failure.js';
import {
  ACKNOWLEDGE,
  ESCALATION_VERSION,
  type EscalationWritten,
  LIST_ESCALATIONS,
  SHOW_ESCALATION,
  SUBMIT_VERDICT,
  type Write,
} from './escalation-operations.js';
import { escalationLine, escalationReport, escalationTable } from './escalation-text.js';
import type { Session } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import { refuseMistakes } from './refuse-mistakes.js';
import type { InSession } from './run-command.js';
import { readSpecFile } from './spec-file.js';
import { CLASS_WORDS, oneOf, STATUS_WORDS, someOf, VERDICT_WORDS } from './words.js';

interface ListOptions extends ClientOptions {
  readonly status?: readonly string[];
  readonly class?: readonly string[];
  readonly agent?: string;
  readonly job?: string;
  readonly first: number;
}

interface WriteOptions extends ClientOptions {
  readonly agent: string;
  readonly expectedVersion?: number;
}

interface VerdictOptions extends WriteOptions {
  readonly patch?: string;
  readonly comment?: string;
}

export function registerEscalations(program: Command, inSession: InSession): Command[] {
  const group = program.command('escalations').description('see and decide what agents are asked');
  const list = group
    .command('list')
    .description('list escalations, newest first')
    .option('--status <status...>', 'only those in these states, such as ASKING CLAIMED', someOf(STATUS_WORDS))
    .option('--class <class...>', 'only those of these failure classes', someOf(CLASS_WORDS))
    .option('--agent <agent>', 'only those in which this agent is asked, told or the holder')
    .option('--job <id>', 'only those of this job')
    .option('--first <count>', 'how many, 1 to 100', wholeNumber, 20)
    .action((options: ListOptions) => inSession(options, (session) => listThem(session, options)));
  const show = group
    .command('show')
    .argument('<id>', 'id of the escalation')
    .description('show an escalation with its evidence and its log')
    .action((id: string, options: ClientOptions) => inSession(options, (session) => showOne(session, id)));
  const acknowledge = withWriteOptions(group.command('ack').argument('<id>', 'id of the escalation'))
    .description('say that an agent is on it')
    .action((id: string, options: WriteOptions) =>
      inSession(options, async (session) =>
        tell(session, await session.api.request(ACKNOWLEDGE, { input: await seen(session, id, options) })),
      ),
    );
  const verdict = withWriteOptions(group.command('verdict').argument('<id>', 'id of the escalation'))
    .argument('<kind>', 'what shall happen, such as RETRY, PATCH_SPEC or ABORT', oneOf(VERDICT_WORDS))
    .description('decide about the job of an escalation')
    .option('--patch <file>', 'with PATCH_SPEC: a JSON merge patch of the spec, in YAML or JSON')
    .option('--comment <text>', 'why; kept in the log')
    .action((id: string, kind: string, options: VerdictOptions) =>
      inSession(options, (session) => decide(session, id, kind, options)),
    );
  return [list, show, acknowledge, verdict];
}

const withWriteOptions = (command: Command): Command =>
  command
    .requiredOption('--agent <agent>', 'the agent who acts, such as chief-2')
    .option('--expected-version <version>', 'the version that was seen (default: the current one)', wholeNumber);

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

async function listThem({ api, reporter }: Session, options: ListOptions): Promise<ExitCode> {
  const filter = {
    statuses: options.status ?? null,
    failureClasses: options.class ?? null,
    agent: options.agent ?? null,
    jobId: options.job ?? null,
  };
  const { escalations } = await api.request(LIST_ESCALATIONS, { filter, first: options.first });
  const nodes = escalations.edges.map(({ node }) => node);
  const { totalCount } = escalations;
  reporter.answer('escalations', { escalations: nodes, totalCount }, escalationTable(nodes, totalCount));
  return EXIT.ok;
}

async function showOne({ api, reporter }: Session, id: string): Promise<ExitCode> {
  const { escalation } = await api.request(SHOW_ESCALATION, { id });
  if (escalation === null) throw notFound();
  reporter.answer('escalation', { escalation }, escalationReport(escalation));
  return EXIT.ok;
}

async function decide(session: Session, id: string, kind: string, options: VerdictOptions): Promise<ExitCode> {
  const patch = options.patch === undefined ? null : await readSpecFile(options.patch, 'patch');
  const input = { ...(await seen(session, id, options)), kind, patch, comment: options.comment ?? null };
  return tell(session, await session.api.request(SUBMIT_VERDICT, { input }));
}

/** What a write names: without `--expected-version`, whatever the escalation is now. */
async function seen({ api }: Session, id: string, { agent, expectedVersion }: WriteOptions): Promise<Write> {
  if (expectedVersion !== undefined) return { id, expectedVersion, agent };
  const { escalation } = await api.request(ESCALATION_VERSION, { id });
  if (escalation === null) throw notFound();
  return { id, expectedVersion: escalation.version, agent };
}

function tell({ reporter }: Session, { written }: { readonly written: EscalationWritten }): ExitCode {
  const { escalation, conflict, userErrors } = written;
  if (conflict) reporter.remark(escalationLine(conflict.current));
  refuseMistakes(userErrors);
  if (escalation) reporter.answer('escalation', { escalation }, [escalationLine(escalation)]);
  return EXIT.ok;
}

const notFound = (): ClientFailure =>
  new ClientFailure(EXIT.failed, [{ code: 'ESCALATION_NOT_FOUND', message: 'There is no escalation with that id.' }]);
