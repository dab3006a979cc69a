import { type Complaint, complaintText } from './client-failure.js';
import { jobSummary } from './job-summary.js';
import type { JobEvent, JobReport, LaunchedJob } from './operations.js';
import type { ProgressLine } from './progress-line.js';
import { countText } from './quantities.js';
import { printable, type Terminal } from './terminal.js';

/** How a command tells what happens: to people, or to machines. */
export interface Reporter {
  launched(job: LaunchedJob, replayed: boolean): void;
  event(event: JobEvent): void;
  /** Something about the command itself, e.g. a lost connection. */
  remark(text: string): void;
  /** The job as it ended, or as it is held. */
  result(job: JobReport): void;
  /** The job is held until somebody decides, and the command leaves it. */
  awaiting(jobId: string, lastSeq: number): void;
  /** The answer of a command that asks once: facts for machines, lines for people. */
  answer(type: string, facts: object, lines: readonly string[]): void;
  failure(complaints: readonly Complaint[]): void;
  /** Leaves the terminal clean. Idempotent. */
  stop(): void;
}

export function createHumanReporter(terminal: Terminal, progress: ProgressLine): Reporter {
  return {
    launched: (job, replayed) => terminal.out(launchText(job, replayed)),
    event(event) {
      if (event.kind === 'STATE' && event.state === 'RETRYING' && event.error !== null) {
        progress.remark(
          printable(`An attempt failed and is tried again: ${event.error.message} (${event.error.code})`),
        );
      }
      // A snapshot before every event of the job shows the end before the beginning.
      const isAhead = event.kind === 'SNAPSHOT' && event.seq === 0;
      if (!isAhead) progress.show(event);
    },
    remark: (text) => progress.remark(text),
    result(job) {
      progress.stop();
      for (const line of jobSummary(job)) terminal.out(line);
    },
    awaiting: (jobId, lastSeq) => progress.remark(awaitingText(jobId, lastSeq)),
    answer(_type, _facts, lines) {
      for (const text of lines) terminal.out(text);
    },
    failure(complaints) {
      progress.stop();
      for (const complaint of complaints) terminal.error(printable(complaintText(complaint)));
    },
    stop: () => progress.stop(),
  };
}

function launchText({ id, name, state, progress }: LaunchedJob, replayed: boolean): string {
  const job = `Job ${printable(name)} (${id})`;
  if (!replayed) return `${job} launched.`;
  if (state !== 'SUCCEEDED') return `${job} was launched before with this idempotency key.`;
  return `${job} was launched before with this idempotency key and has finished with ${countText(progress.rowsLoaded)} rows: nothing is loaded again.`;
}

const awaitingText = (jobId: string, lastSeq: number) =>
  `A decision about the job is awaited. See how it goes on with: sluice watch ${jobId} --after-seq ${lastSeq} --wait`;

/** One JSON object a line on stdout, told apart by `type`; sentences for people go to stderr. */
export function createJsonReporter(terminal: Terminal): Reporter {
  const line = (type: string, facts: object) => terminal.out(JSON.stringify({ type, ...facts }));
  return {
    launched: (job, replayed) => line('launched', { job, replayed }),
    event: (event) => line('event', { event }),
    remark: (text) => terminal.error(text),
    result: (job) => line('result', { job }),
    awaiting(jobId, lastSeq) {
      line('awaiting', { jobId, lastSeq });
      terminal.error(awaitingText(jobId, lastSeq));
    },
    answer: (type, facts) => line(type, facts),
    failure(complaints) {
      line('error', { errors: complaints });
      for (const complaint of complaints) terminal.error(printable(complaintText(complaint)));
    },
    stop: () => {},
  };
}
