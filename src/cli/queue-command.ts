import type { Command } from 'commander';
import { EXIT, type ExitCode } from './client-failure.js';
import type { Session } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import { countText, percentText, timeText } from './quantities.js';
import { PAUSE_QUEUE, QUEUE_STATS, type Queue, RESUME_QUEUE } from './queue-operations.js';
import { refuseMistakes } from './refuse-mistakes.js';
import type { InSession } from './run-command.js';
import { printable } from './terminal.js';
import { textTable } from './text-table.js';

interface WhyOptions extends ClientOptions {
  readonly reason?: string;
}

export function registerQueue(program: Command, inSession: InSession): Command[] {
  const group = program.command('queue').description('see the queue, stop it and start it again');
  const show = group
    .command('show')
    .description('show how many jobs are in which state, and how busy the workers are')
    .action((options: ClientOptions) =>
      inSession(options, async (session) => tell(session, (await session.api.request(QUEUE_STATS, {})).queueStats)),
    );
  const steer = (name: string, operation: typeof PAUSE_QUEUE, description: string, reason: string) =>
    group
      .command(name)
      .description(description)
      .option('--reason <text>', reason)
      .action((options: WhyOptions) =>
        inSession(options, async (session) => {
          const input = { reason: options.reason ?? null };
          const { queue, userErrors } = (await session.api.request(operation, { input })).steered;
          refuseMistakes(userErrors);
          return queue === null ? EXIT.ok : tell(session, queue);
        }),
      );
  const pause = 'begin nothing new until the queue is resumed; what runs goes on';
  return [
    show,
    steer('pause', PAUSE_QUEUE, pause, 'why, for those who find it paused'),
    steer('resume', RESUME_QUEUE, 'begin jobs again', 'why, for the log of the server'),
  ];
}

function tell({ reporter }: Session, queue: Queue): ExitCode {
  reporter.answer('queue', { queue }, queueReport(queue));
  return EXIT.ok;
}

const ENDED: readonly string[] = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

/** How the queue stands, as lines. */
export function queueReport({
  counts,
  oldestQueuedAt,
  pause,
  workers,
  utilisation,
  utilisationLevel,
}: Queue): string[] {
  const list = (isListed: (state: string) => boolean) =>
    counts
      .filter(({ state }) => isListed(state))
      .map(({ state, count }) => `${state.toLowerCase().replaceAll('_', ' ')} ${countText(count)}`)
      .join(', ');
  const why = pause?.reason ? `: ${pause.reason}` : '.';
  return [
    pause === null
      ? 'The queue runs.'
      : printable(`The queue is paused since ${timeText(pause.since)} by ${pause.by}${why}`),
    `  jobs: ${list((state) => !ENDED.includes(state))}`,
    `  ended within the last hour: ${list((state) => ENDED.includes(state))}`,
    ...(oldestQueuedAt === null ? [] : [`  the oldest waits since ${timeText(oldestQueuedAt)}`]),
    utilisation === null
      ? '  no worker runs'
      : `  workers are ${percentText(utilisation)} % busy (${utilisationLevel})`,
    ...(workers.length === 0 ? [] : ['', ...workerTable(workers)]),
  ];
}

const workerTable = (workers: Queue['workers']): string[] =>
  textTable(
    [
      { title: 'worker', align: 'left' },
      { title: 'slots', align: 'right' },
      { title: 'busy', align: 'right' },
      { title: 'seen', align: 'left' },
    ],
    workers.map(({ id, slots, busy, seenAt }) => [id, String(slots), String(busy), timeText(seenAt)]),
  );
