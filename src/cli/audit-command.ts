import type { Command } from 'commander';
import { EXIT, type ExitCode } from './client-failure.js';
import { LOG_STATUS } from './escalation-operations.js';
import type { Session } from './follow-job.js';
import type { ClientOptions } from './open-session.js';
import { countText } from './quantities.js';
import type { InSession } from './run-command.js';

export function registerAudit(program: Command, inSession: InSession): Command[] {
  const verify = program
    .command('audit')
    .description('the log of escalations')
    .command('verify')
    .description('look for rows of the escalation log that were changed, are missing or stand elsewhere')
    .action((options: ClientOptions) => inSession(options, verifyLog));
  return [verify];
}

async function verifyLog({ api, reporter }: Session): Promise<ExitCode> {
  const { escalationLogStatus: status } = await api.request(LOG_STATUS, {});
  const verdict = status.ok
    ? `The escalation log is whole: ${countText(status.lastSeq)} rows.`
    : `The escalation log is broken at row ${status.brokenSeq} of ${status.lastSeq}: ${status.problem}`;
  reporter.answer('audit', status, [verdict]);
  return status.ok ? EXIT.ok : EXIT.failed;
}
