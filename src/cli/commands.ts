import type { Command } from 'commander';
import { systemClock } from '../core/clock.js';
import { SluiceError } from '../core/errors.js';
import { registerAudit } from './audit-command.js';
import type { ClientConfig } from './client-config.js';
import { ClientFailure, complaintText, EXIT, usageFailure } from './client-failure.js';
import { registerDeadLetters } from './dead-letters-command.js';
import { registerEscalations } from './escalations-command.js';
import type { Session } from './follow-job.js';
import { registerJobs } from './jobs-command.js';
import { openSession, type Surroundings } from './open-session.js';
import { registerQuarantine } from './quarantine-command.js';
import { registerQueue } from './queue-command.js';
import { type InSession, registerRun } from './run-command.js';
import { registerSimulate } from './simulate-command.js';
import { processTerminal } from './terminal.js';
import { registerWatch } from './watch-command.js';

/**
 * Adds the commands that talk to a gateway like any client: jobs, their queue, dead letters, their quarantine, escalations, simulations, the audit of their log. They set `process.exitCode`, see `EXIT`.
 *
 * @param config read when a command runs, so that a wrong setting does not break the other commands
 */
export function registerClientCommands(program: Command, config: () => ClientConfig): void {
  const surroundings: Surroundings = {
    config,
    clock: systemClock,
    terminal: processTerminal,
    onInterrupt(handle) {
      process.on('SIGINT', handle);
      return () => process.off('SIGINT', handle);
    },
    quit: (code) => process.exit(code),
  };
  const register = [
    registerRun,
    registerWatch,
    registerJobs,
    registerQueue,
    registerDeadLetters,
    registerQuarantine,
    registerEscalations,
    registerSimulate,
    registerAudit,
  ];
  for (const command of register.flatMap((add) => add(program, inSession(surroundings)))) {
    command
      .option('--url <url>', 'address of the gateway (default: SLUICE_URL, else http://127.0.0.1:4000)')
      .option('--token <token>', 'bearer token (default: SLUICE_ADMIN_TOKEN, else $SLUICE_HOME/admin-token)')
      .option('--json', 'one JSON object a line on stdout, for machines')
      .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage));
  }
}

function inSession(surroundings: Surroundings): InSession {
  return async (options, work) => {
    let session: Session | undefined;
    try {
      session = await openSession(surroundings, options);
      process.exitCode = await work(session);
    } catch (thrown) {
      const failure = failureOf(thrown);
      process.exitCode = failure.exitCode;
      if (session !== undefined) session.reporter.failure(failure.complaints);
      else for (const complaint of failure.complaints) surroundings.terminal().error(complaintText(complaint));
    }
  };
}

/** A wrong setting is a mistake of the command line too; anything else is ours, and is thrown on. */
function failureOf(thrown: unknown): ClientFailure {
  if (thrown instanceof ClientFailure) return thrown;
  if (thrown instanceof SluiceError) return usageFailure(thrown.message);
  throw thrown;
}
