import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, type ExitCode, usageFailure } from './client-failure.js';
import {
  type DeadLetterFilter,
  type DeadLetterGroup,
  type DeadLetterLine,
  DISCARD_DEAD_LETTERS,
  GROUP_DEAD_LETTERS,
  LIST_DEAD_LETTERS,
  REDRIVE_DEAD_LETTERS,
  type Taken,
} from './dead-letter-operations.js';
import type { Session } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import type { UserError } from './operations.js';
import { countText, timeText } from './quantities.js';
import { refuseMistakes } from './refuse-mistakes.js';
import type { InSession } from './run-command.js';
import { printable } from './terminal.js';
import { textTable } from './text-table.js';
import { CLASS_WORDS, oneOf } from './words.js';

interface FilterOptions extends ClientOptions {
  readonly class?: string;
  readonly code?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly fingerprint?: string;
  readonly diedAfter?: string;
  readonly diedBefore?: string;
}

interface ListOptions extends FilterOptions {
  readonly first: number;
}

interface RedriveOptions extends FilterOptions {
  readonly all?: boolean;
  readonly rate?: number;
  readonly idempotencyKey?: string;
}

interface DiscardOptions extends FilterOptions {
  readonly reason: string;
}

export function registerDeadLetters(program: Command, inSession: InSession): Command[] {
  const group = program.command('dead-letters').description('see jobs that died, bring them back or give them up');
  const list = withFilter(group.command('list'))
    .description('list dead letters, newest death first')
    .option('--first <count>', 'how many, 1 to 100', wholeNumber, 20)
    .action((options: ListOptions) => inSession(options, (session) => listThem(session, options)));
  const groups = withFilter(group.command('groups'))
    .description('show what they died of, the largest group first')
    .option('--first <count>', 'how many, 1 to 100', wholeNumber, 20)
    .action((options: ListOptions) => inSession(options, (session) => groupThem(session, options)));
  const redrive = withFilter(group.command('redrive').argument('[jobs...]', 'ids of jobs'))
    .description('try them again, so many in a second: those with these ids, those that match, or all')
    .option('--all', 'every dead letter')
    .option('--rate <jobs>', 'how many a second, 0.1 to 200 (default: 10)', decimal)
    .option('--idempotency-key <key>', 'answer again what the first redrive with this key answered')
    .action((ids: readonly string[], options: RedriveOptions) =>
      inSession(options, (session) => redriveThem(session, ids, options)),
    );
  const discard = withFilter(group.command('discard').argument('[jobs...]', 'ids of jobs'))
    .description('give them up for good: those with these ids, or those that match')
    .requiredOption('--reason <text>', 'why; kept with the jobs')
    .action((ids: readonly string[], options: DiscardOptions) =>
      inSession(options, (session) => discardThem(session, ids, options)),
    );
  return [list, groups, redrive, discard];
}

const withFilter = (command: Command): Command =>
  command
    .option('--class <class>', 'only those of this failure class', oneOf(CLASS_WORDS))
    .option('--code <code>', 'only those of this error code, such as POISON or UNAVAILABLE', (text) =>
      text.toUpperCase(),
    )
    .option('--name <name>', 'only jobs of exactly this name')
    .option('--owner <agent>', 'only jobs that this agent answers for')
    .option('--fingerprint <fingerprint>', 'only those of this group')
    .option('--died-after <time>', 'only those that died after this moment, such as 2026-11-23T09:30:00Z')
    .option('--died-before <time>', 'only those that died before this moment');

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function decimal(text: string): number {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError('It must be a number.');
  return Number(text);
}

const filterOf = (options: FilterOptions): DeadLetterFilter => ({
  failureClass: options.class ?? null,
  code: options.code ?? null,
  name: options.name ?? null,
  owner: options.owner ?? null,
  fingerprint: options.fingerprint ?? null,
  diedAfter: options.diedAfter ?? null,
  diedBefore: options.diedBefore ?? null,
});

async function listThem({ api, reporter }: Session, options: ListOptions): Promise<ExitCode> {
  const { deadLetters } = await api.request(LIST_DEAD_LETTERS, { filter: filterOf(options), first: options.first });
  const nodes = deadLetters.edges.map(({ node }) => node);
  const { totalCount } = deadLetters;
  reporter.answer('deadLetters', { deadLetters: nodes, totalCount }, letterTable(nodes, totalCount));
  return EXIT.ok;
}

function letterTable(letters: readonly DeadLetterLine[], total: number): string[] {
  if (letters.length === 0) return ['No dead letters.'];
  const table = textTable(
    [
      { title: 'id', align: 'left' },
      { title: 'name', align: 'left' },
      { title: 'died', align: 'left' },
      { title: 'redriven', align: 'right' },
      { title: 'group', align: 'left' },
      { title: 'error', align: 'left' },
    ],
    letters.map(({ job, diedAt, redriveCount, fingerprint }) => [
      job.id,
      job.name,
      timeText(diedAt),
      String(redriveCount),
      fingerprint,
      job.error === null ? '' : `${job.error.message} (${job.error.code})`,
    ]),
  );
  return total > letters.length ? [...table, `${letters.length} of ${total}`] : table;
}

async function groupThem({ api, reporter }: Session, options: ListOptions): Promise<ExitCode> {
  const { deadLetterGroups: groups } = await api.request(GROUP_DEAD_LETTERS, {
    filter: filterOf(options),
    first: options.first,
  });
  reporter.answer('deadLetterGroups', { deadLetterGroups: groups }, groupTable(groups));
  return EXIT.ok;
}

const SHOWN_NAMES = 3;

function groupTable(groups: readonly DeadLetterGroup[]): string[] {
  if (groups.length === 0) return ['No dead letters.'];
  return textTable(
    [
      { title: 'group', align: 'left' },
      { title: 'jobs', align: 'right' },
      { title: 'last death', align: 'left' },
      { title: 'names', align: 'left' },
      { title: 'error', align: 'left' },
    ],
    groups.map(({ fingerprint, count, lastDiedAt, names, nameCount, message, code }) => {
      const more = nameCount > SHOWN_NAMES ? ` and ${nameCount - SHOWN_NAMES} more` : '';
      return [
        fingerprint,
        countText(count),
        timeText(lastDiedAt),
        `${names.slice(0, SHOWN_NAMES).join(', ')}${more}`,
        code === null ? '' : `${message} (${code})`,
      ];
    }),
  );
}

/** Which jobs a mutation is about: those with the ids, or those that match. */
function choiceOf(ids: readonly string[], options: FilterOptions): Readonly<Record<string, unknown>> {
  const filter = filterOf(options);
  const isFiltered = Object.values(filter).some((member) => member !== null);
  return { ...(ids.length > 0 && { jobIds: ids }), ...(isFiltered && { filter }) };
}

async function redriveThem(session: Session, ids: readonly string[], options: RedriveOptions): Promise<ExitCode> {
  const choice = { ...choiceOf(ids, options), ...(options.all && { all: true }) };
  // A slip must not take everything.
  if (Object.keys(choice).length !== 1) throw usageFailure('Name jobs, or give options that choose some, or --all.');
  const input = { ...choice, ratePerSecond: options.rate ?? null, idempotencyKey: options.idempotencyKey ?? null };
  return tell(session, 'redrive', (await session.api.request(REDRIVE_DEAD_LETTERS, { input })).answer);
}

async function discardThem(session: Session, ids: readonly string[], options: DiscardOptions): Promise<ExitCode> {
  const choice = choiceOf(ids, options);
  if (Object.keys(choice).length !== 1) throw usageFailure('Name jobs, or give options that choose some.');
  const input = { ...choice, reason: options.reason };
  return tell(session, 'discard', (await session.api.request(DISCARD_DEAD_LETTERS, { input })).answer);
}

/** @returns failed when a job was left as it is */
function tell(
  { reporter }: Session,
  what: 'redrive' | 'discard',
  { userErrors, ...taken }: Taken & { readonly userErrors: readonly UserError[] },
): ExitCode {
  refuseMistakes(userErrors);
  reporter.answer(what, { [what]: taken }, takenLines(what, taken).map(printable));
  return taken.refusedCount === 0 ? EXIT.ok : EXIT.failed;
}

const SHOWN_REFUSALS = 20;

function takenLines(what: 'redrive' | 'discard', taken: Taken): string[] {
  const { taken: count, refused, refusedCount, remaining, lastDueAt, replayed } = taken;
  const until = lastDueAt ? `; the last of them has its turn at ${timeText(lastDueAt)}` : '';
  const before = replayed ? ' It was asked for before with this idempotency key.' : '';
  const hidden = refusedCount - Math.min(refused.length, SHOWN_REFUSALS);
  return [
    `${what === 'redrive' ? 'Redriven' : 'Discarded'}: ${countText(count)}${until}.${before}`,
    ...(refusedCount === 0 ? [] : [`Left as they are: ${countText(refusedCount)}.`]),
    ...refused.slice(0, SHOWN_REFUSALS).map(({ jobId, reason }) => `  ${jobId}  ${reason}`),
    ...(hidden > 0 ? [`  and ${countText(hidden)} more`] : []),
    ...(remaining > 0 ? [`Still there: ${countText(remaining)}; run the command again.`] : []),
  ];
}
