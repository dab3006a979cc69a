import { createWriteStream } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, type ExitCode, usageFailure } from './client-failure.js';
import { readFixedRows } from './fixed-rows-file.js';
import type { Session } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import { countText } from './quantities.js';
import {
  DISCARD_ROWS,
  FIX_ROWS,
  GROUP_QUARANTINE,
  LIST_QUARANTINE,
  type QuarantineFilterInput,
  REPLAY_ROWS,
} from './quarantine-operations.js';
import { fixReport, groupTable, quarantineTable } from './quarantine-text.js';
import { refuseMistakes } from './refuse-mistakes.js';
import type { InSession } from './run-command.js';
import { readSpecFile } from './spec-file.js';
import { printable } from './terminal.js';
import { ROW_STATUS_WORDS, someOf } from './words.js';

interface FilterOptions extends ClientOptions {
  readonly status?: readonly string[];
  readonly code?: string;
  readonly column?: string;
}
interface ListOptions extends FilterOptions {
  readonly first: number;
}
interface DownloadOptions extends FilterOptions {
  readonly out?: string;
}
interface FixOptions extends FilterOptions {
  readonly rows?: string;
  readonly set?: readonly { readonly column: string; readonly expression: string }[];
  readonly apply?: boolean;
}
interface ReplayOptions extends FilterOptions {
  readonly patch?: string;
  readonly idempotencyKey?: string;
}
interface DiscardOptions extends FilterOptions {
  readonly id?: readonly string[];
  readonly reason: string;
}

export function registerQuarantine(program: Command, inSession: InSession): Command[] {
  const group = program.command('quarantine').description('see the rows that a job set aside, mend them, load them');
  const command = (name: string, description: string): Command =>
    group
      .command(name)
      .argument('<job>', 'id of the job')
      .description(description)
      .option('--status <status...>', 'only rows of these statuses, such as OPEN FIXED', someOf(ROW_STATUS_WORDS))
      .option('--code <code>', 'only rows with a reason of this code, such as CAST_FAILED')
      .option('--column <column>', 'only rows with a reason on this column');
  const first = (name: string, description: string): Command =>
    command(name, description).option('--first <count>', 'how many, 1 to 100', wholeNumber, 20);
  return [
    first('list', 'list rows with their reasons').action((job: string, options: ListOptions) =>
      inSession(options, (session) => listThem(session, job, options)),
    ),
    first('groups', 'count rows by what is wrong with them').action((job: string, options: ListOptions) =>
      inSession(options, (session) => groupThem(session, job, options)),
    ),
    command('download', 'write rows as one JSON object a line')
      .option('--out <file>', 'where to; stdout when it is left out')
      .action((job: string, options: DownloadOptions) =>
        inSession(options, (session) => download(session, job, options)),
      ),
    command('fix', 'give rows other values, and say what the pipeline makes of them')
      .option('--rows <file>', 'rows as the download writes them, with the values they are to have')
      .option(
        '--set <column=expression...>',
        'SQL expression over the columns as text, for the rows of the filter',
        setting,
      )
      .option('--apply', 'store what the pipeline takes, instead of trying only')
      .action((job: string, options: FixOptions) => inSession(options, (session) => fix(session, job, options))),
    command('replay', 'load rows after all, by a job of their own')
      .option('--patch <file>', 'JSON merge patch for the spec of the job, in YAML or JSON; OPEN rows go too then')
      .option('--idempotency-key <key>', 'the same key starts the replay once')
      .action((job: string, options: ReplayOptions) => inSession(options, (session) => replay(session, job, options))),
    command('discard', 'give rows up')
      .option('--id <id...>', 'these rows, instead of those of the filter')
      .requiredOption('--reason <text>', 'why; it is kept with the rows')
      .action((job: string, options: DiscardOptions) =>
        inSession(options, (session) => discard(session, job, options)),
      ),
  ];
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function setting(text: string, before: FixOptions['set'] = []): NonNullable<FixOptions['set']> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be a column, `=` and an expression.');
  return [...before, { column: text.slice(0, at).trim(), expression: text.slice(at + 1).trim() }];
}

const filterOf = ({ status, code, column }: FilterOptions): QuarantineFilterInput => ({
  statuses: status ?? null,
  code: code ?? null,
  column: column ?? null,
});

const isFiltered = ({ status, code, column }: FilterOptions): boolean =>
  status !== undefined || code !== undefined || column !== undefined;

async function listThem({ api, reporter }: Session, jobId: string, options: ListOptions): Promise<ExitCode> {
  const { quarantine } = await api.request(LIST_QUARANTINE, { jobId, filter: filterOf(options), first: options.first });
  const rows = quarantine.edges.map(({ node }) => node);
  const { totalCount } = quarantine;
  reporter.answer('quarantine', { rows, totalCount }, quarantineTable(rows, totalCount));
  return EXIT.ok;
}

async function groupThem({ api, reporter }: Session, jobId: string, options: ListOptions): Promise<ExitCode> {
  const variables = { jobId, filter: filterOf(options), first: options.first };
  const { groups, totalGroups, counts } = (await api.request(GROUP_QUARANTINE, variables)).quarantineGroups;
  reporter.answer('quarantineGroups', { groups, totalGroups, counts }, groupTable(groups, totalGroups, counts));
  return EXIT.ok;
}

async function download({ api, reporter }: Session, jobId: string, options: DownloadOptions): Promise<ExitCode> {
  const { status, code, column, out } = options;
  const query = new URLSearchParams();
  for (const one of status ?? []) query.append('status', one);
  if (code !== undefined) query.set('code', code);
  if (column !== undefined) query.set('column', column);
  const path = `jobs/${encodeURIComponent(jobId)}/quarantine.ndjson?${query}`;
  if (out === undefined) {
    await api.download(path, process.stdout);
    return EXIT.ok;
  }
  const file = createWriteStream(out);
  await api.download(path, file).catch((error: unknown) => {
    throw file.errored ? usageFailure(`The file ${out} cannot be written: ${file.errored.message}.`) : error;
  });
  reporter.answer('download', { file: out }, [printable(`The rows are in ${out}.`)]);
  return EXIT.ok;
}

async function fix({ api, reporter }: Session, jobId: string, options: FixOptions): Promise<ExitCode> {
  const { rows, set, apply } = options;
  if ((rows === undefined) === (set === undefined)) throw usageFailure('Give either --rows or --set.');
  if (rows !== undefined && isFiltered(options)) throw usageFailure('--rows names its rows; the filter is for --set.');
  const what = rows === undefined ? { set, filter: filterOf(options) } : { rows: await readFixedRows(rows) };
  const input = { jobId, ...what, dryRun: apply !== true };
  const { userErrors, ...answer } = (await api.request(FIX_ROWS, { input })).fix;
  refuseMistakes(userErrors);
  reporter.answer('fix', answer, fixReport(answer, apply === true));
  return EXIT.ok;
}

async function replay({ api, reporter }: Session, jobId: string, options: ReplayOptions): Promise<ExitCode> {
  const { patch, idempotencyKey } = options;
  const input = {
    jobId,
    filter: filterOf(options),
    specPatch: patch === undefined ? null : await readSpecFile(patch, 'patch'),
    idempotencyKey: idempotencyKey ?? null,
  };
  const { job, rows, replayed, userErrors } = (await api.request(REPLAY_ROWS, { input })).replay;
  refuseMistakes(userErrors);
  if (job === null) return EXIT.ok;
  const what = replayed ? 'was launched before with this idempotency key' : `loads ${countText(rows)} rows`;
  reporter.answer('replay', { job, rows, replayed }, [
    printable(`Job ${job.name} (${job.id}) ${what}. Watch it with: sluice watch ${job.id}`),
  ]);
  return EXIT.ok;
}

async function discard({ api, reporter }: Session, jobId: string, options: DiscardOptions): Promise<ExitCode> {
  const { id, reason } = options;
  if (id !== undefined && isFiltered(options)) throw usageFailure('Give either --id or a filter.');
  const which = id === undefined ? { filter: filterOf(options) } : { ids: id };
  const { discarded, userErrors } = (await api.request(DISCARD_ROWS, { input: { jobId, ...which, reason } })).discard;
  refuseMistakes(userErrors);
  reporter.answer('discard', { discarded }, [`${countText(discarded)} rows are discarded.`]);
  return EXIT.ok;
}
