import type { Command } from 'commander';
import type { App } from './app.js';
import { type Config, loadConfig } from './config.js';
import { systemClock } from './core/clock.js';
import { SluiceError } from './core/errors.js';
import { createLog, type Log } from './core/log.js';

/** Nothing may keep the process longer than this after the grace; a little more than everything together takes. */
const LAST_RESORT_MS = 2_500;

/** Adds `serve`, `worker` and `migrate`, which run parts of Sluice in this process. */
export function registerServerCommands(program: Command): void {
  const command = (name: string, description: string, run: (config: Config, log: Log) => Promise<void>) =>
    program
      .command(name)
      .description(description)
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
      .action(() => orSentence(run));

  command('serve', 'Run the gateway, with every role unless SLUICE_ROLES names some.', serve);
  command('worker', 'Run a worker: DATABASE_URL names the installation that it works for.', (config, log) =>
    serve({ ...config, roles: new Set(['worker', 'scheduler']) }, log),
  );
  command('migrate', 'Bring the database up to date and end.', migrateOnly);
}

/** What an operator can mend is one sentence on stderr; only what nobody foresaw brings its stack. */
async function orSentence(run: (config: Config, log: Log) => Promise<void>): Promise<void> {
  try {
    const config = loadConfig();
    await run(config, createLog(config.logLevel));
  } catch (error) {
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exit(1);
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof SluiceError) return error.message;
  if (!(error instanceof Error)) return String(error);
  // A refused port, an unreachable Redis: the system says it well enough.
  if ('code' in error || 'syscall' in error) return `Sluice cannot start: ${error.message || String(error)}`;
  return error.stack ?? error.message;
}

async function serve(config: Config, log: Log): Promise<void> {
  // Loaded here and not above: `sluice run` and `watch` start five times as fast without the engine and the server.
  const { startApp } = await import('./app.js');
  const starting = startApp(config, log, systemClock);
  endOnSignal(starting, config.stopGraceMs + LAST_RESORT_MS, log);
  const app = await starting;
  if (app.url !== undefined) process.stdout.write(`Sluice listens on ${app.url}\n`);
  else process.stdout.write('Sluice works.\n');
  if (app.consoleUrl !== undefined) process.stdout.write(`Console: ${app.consoleUrl}\n`);
}

/** The first signal drains, the second ends at once. */
function endOnSignal(starting: Promise<App>, longestMs: number, log: Log): void {
  let isEnding = false;
  let isStuck = (): boolean => false;
  const leave = (code: number): void => {
    // Node waits for the threads of its pool before it exits, and so for such a query, which may take hours.
    if (isStuck()) process.kill(process.pid, 'SIGKILL');
    process.exit(code);
  };
  const end = (signal: NodeJS.Signals) => {
    if (isEnding) {
      process.stderr.write(
        `A second ${signal}: Sluice ends at once. Others take its work over when its leases run out.\n`,
      );
      return leave(1);
    }
    isEnding = true;
    log.info({ signal }, 'stopping; a second signal ends at once');
    systemClock.after(longestMs, () => {
      log.warn({ afterMs: longestMs }, 'stopped before everything had ended');
      leave(0);
    });
    starting
      .then((app) => {
        isStuck = app.isStuck;
        return app.stop();
      })
      .then(
        () => log.info({}, 'stopped'),
        (error: unknown) => log.warn({ reason: String(error) }, 'stopped before it had started'),
      )
      .finally(() => leave(0));
  };
  // A closed terminal is no reason to leave the embedded server running.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
}

async function migrateOnly(config: Config, log: Log): Promise<void> {
  const { startEmbeddedPostgres } = await import('./store/embedded-postgres.js');
  const { migrate } = await import('./store/migrate.js');
  const embedded =
    config.databaseUrl === undefined ? await startEmbeddedPostgres({ home: config.home, log }) : undefined;
  try {
    const applied = await migrate(config.databaseUrl ?? embedded?.url ?? '', { log });
    process.stdout.write(applied.length === 0 ? 'The database is up to date.\n' : `Applied ${applied.join(', ')}.\n`);
  } finally {
    await embedded?.stop();
  }
}
