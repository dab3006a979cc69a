import { type Command, InvalidArgumentError } from 'commander';
import { attemptTable } from './attempt-table.js';
import { ClientFailure, EXIT, type ExitCode } from './client-failure.js';
import type { Session } from './follow-job.js';
import {
  CANCEL,
  type JobLine,
  LIST_JOBS,
  PAUSE,
  RESUME,
  RETRY,
  SHOW_JOB,
  type ShownJob,
  type SteeredJob,
  type SteerOperation,
} from './job-operations.js';
import { jobSummary } from './job-summary.js';
import type { ClientOptions } from './open-session.js';
import { activityText } from './progress-text.js';
import { countText, timeText } from './quantities.js';
import { refuseMistakes } from './refuse-mistakes.js';
import type { InSession } from './run-command.js';
import { printable } from './terminal.js';
import { textTable } from './text-table.js';

interface ListOptions extends ClientOptions {
  readonly state?: readonly string[];
  readonly name?: string;
  readonly search?: string;
  readonly first: number;
}

interface CancelOptions extends ClientOptions {
  readonly rollback?: boolean;
}

const SHOWN_ROWS = 5;

export function registerJobs(program: Command, inSession: InSession): Command[] {
  const group = program.command('jobs').description('see jobs, stop them and start them again');
  const list = group
    .command('list')
    .description('list jobs, newest first')
    .option('--state <state...>', 'only those in these states, such as RUNNING DEAD')
    .option('--name <name>', 'only those of exactly this name')
    .option('--search <text>', 'only those with this in their name or id')
    .option('--first <count>', 'how many, 1 to 100', wholeNumber, 20)
    .action((options: ListOptions) => inSession(options, (session) => listThem(session, options)));
  const show = ofJob(group, 'show', 'show a job with its attempts, its expectations and its first bad rows').action(
    (id: string, options: ClientOptions) => inSession(options, (session) => showOne(session, id)),
  );
  const cancel = ofJob(group, 'cancel', 'stop a job for good; what it has committed stays')
    .option('--rollback', 'remove its rows from the target, or refuse when they would stay there')
    .action((id: string, options: CancelOptions) =>
      inSession(options, (session) => steer(session, CANCEL, { id, rollback: options.rollback === true })),
    );
  const others = [
    { name: 'pause', operation: PAUSE, description: 'hold a job until it is resumed; it keeps what is loaded' },
    { name: 'resume', operation: RESUME, description: 'let a paused job go on' },
    { name: 'retry', operation: RETRY, description: 'try a job again that ended without success, or is about to be' },
  ].map(({ name, operation, description }) =>
    ofJob(group, name, description).action((id: string, options: ClientOptions) =>
      inSession(options, (session) => steer(session, operation, { id })),
    ),
  );
  return [list, show, cancel, ...others];
}

const ofJob = (group: Command, name: string, description: string): Command =>
  group.command(name).argument('<job>', 'id of the job').description(description);

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

async function listThem({ api, reporter }: Session, options: ListOptions): Promise<ExitCode> {
  const filter = {
    states: options.state ?? null,
    name: options.name ?? null,
    search: options.search ?? null,
  };
  const { jobs } = await api.request(LIST_JOBS, { filter, first: options.first });
  const nodes = jobs.edges.map(({ node }) => node);
  reporter.answer('jobs', { jobs: nodes, totalCount: jobs.totalCount }, jobTable(nodes, jobs.totalCount));
  return EXIT.ok;
}

function jobTable(jobs: readonly JobLine[], total: number): string[] {
  if (jobs.length === 0) return ['No jobs.'];
  const table = textTable(
    [
      { title: 'id', align: 'left' },
      { title: 'name', align: 'left' },
      { title: 'state', align: 'left' },
      { title: 'attempt', align: 'right' },
      { title: 'loaded', align: 'right' },
      { title: 'launched', align: 'left' },
    ],
    jobs.map((job) => [
      job.id,
      job.name,
      activityText(job),
      String(job.attempt),
      countText(job.progress.rowsLoaded),
      timeText(job.createdAt),
    ]),
  );
  return total > jobs.length ? [...table, `${jobs.length} of ${total}`] : table;
}

async function showOne({ api, reporter }: Session, id: string): Promise<ExitCode> {
  const { job } = await api.request(SHOW_JOB, { jobId: id, rows: SHOWN_ROWS });
  if (job === null)
    throw new ClientFailure(EXIT.failed, [{ code: 'JOB_NOT_FOUND', message: 'There is no job with that id.' }]);
  const [redrive] = job.redrives;
  const facts: readonly (readonly [string, string | null])[] = [
    ['kind', job.kind],
    ['owner', job.owner],
    ['priority', String(job.priority)],
    ['attempt', `${job.attempt} of ${job.maxAttempts}`],
    ['launched', timeText(job.createdAt)],
    ['due', job.dueAt && timeText(job.dueAt)],
    ['redriven', redrive ? redriveText(redrive) : null],
    ['discarded', job.discard && `by ${job.discard.by}, ${timeText(job.discard.at)}: ${job.discard.reason}`],
  ];
  // The summary tells of attempts only when there is something to tell.
  const attempts = job.attempts.length === 1 ? ['', ...attemptTable(job.attempts)] : [];
  reporter.answer('job', { job }, [
    ...jobSummary(job),
    ...facts.flatMap(([name, text]) => (text ? [printable(`  ${name.padEnd(10)}${text}`)] : [])),
    ...attempts,
  ]);
  return EXIT.ok;
}

function redriveText({ number, by, at, error }: ShownJob['redrives'][number]): string {
  const why = error ? `, after ${error.code}` : '';
  return `${number === 1 ? 'once' : `${number} times, last`} by ${by}, ${timeText(at)}${why}`;
}

async function steer(
  { api, reporter }: Session,
  operation: SteerOperation,
  input: { readonly id: string; readonly rollback?: boolean },
): Promise<ExitCode> {
  const { job, userErrors } = (await api.request(operation, { input })).steered;
  refuseMistakes(userErrors);
  if (job) reporter.answer('job', { job }, [jobLine(job, operation === CANCEL || operation === PAUSE)]);
  return EXIT.ok;
}

/** @param isStop whether the job was to stop */
function jobLine({ id, name, state, cancelRequested }: SteeredJob, isStop: boolean): string {
  const waits = cancelRequested && state !== 'CANCELLED' ? ' It is cancelled once its rows are removed.' : '';
  const told = isStop && state === 'RUNNING' ? ' Its worker was told to stop.' : isStop ? waits : '';
  return printable(`Job ${name} (${id}) is ${state.toLowerCase().replaceAll('_', ' ')}.${told}`);
}
