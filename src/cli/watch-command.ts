import { type Command, InvalidArgumentError } from 'commander';
import { followJob } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import type { InSession } from './run-command.js';

interface WatchOptions extends ClientOptions {
  readonly afterSeq?: number;
  readonly wait?: boolean;
}

export function registerWatch(program: Command, inSession: InSession): Command {
  return program
    .command('watch')
    .argument('<job>', 'id of the job')
    .description('watch a job to its end; Ctrl-C leaves it running')
    .option('--after-seq <seq>', 'begin behind this event instead of now; 0 for all of them', parseSeq)
    .option('--wait', 'stay while a decision about the job is awaited, instead of ending with 4')
    .action((jobId: string, options: WatchOptions) =>
      inSession(options, (session) =>
        followJob(session, {
          jobId,
          afterSeq: options.afterSeq ?? null,
          cancelOnInterrupt: false,
          waitForDecision: options.wait === true,
        }),
      ),
    );
}

function parseSeq(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
