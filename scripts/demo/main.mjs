// The demonstration: a gateway with an embedded PostgreSQL, ETL jobs and an escalation through its GraphQL API, and where
// to look next.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../bootstrap.mjs';
import { ChildEnded } from './child-process.mjs';
import { escalationAct } from './escalation-act.mjs';
import { startGateway } from './gateway-child.mjs';
import { FLIGHTS, MOVIES } from './jobs.mjs';

// The client is the one of `sluice run`: it knows the gateway by its URL and its token only.
const built = (path) => import(pathToFileURL(join(ROOT, 'dist', 'src', path)).href);
const { systemClock } = await built('core/clock.js');
const { followJob } = await built('cli/follow-job.js');
const { openSession } = await built('cli/open-session.js');
const { LAUNCH } = await built('cli/operations.js');
const { durationText } = await built('cli/quantities.js');
const { processTerminal } = await built('cli/terminal.js');

const HOME = join(ROOT, '.sluice', 'demo');
const TOKEN_FILE = join(HOME, 'admin-token');
const DATA = join(ROOT, 'node_modules', 'vega-datasets', 'data');
const INTERRUPTED = 130;

const terminal = processTerminal();
const bold = (text) => (terminal.isTty ? `\u001b[1m${text}\u001b[0m` : text);
const say = (text = '') => terminal.out(text);
const heading = (text) => say(`\n${bold(text)}`);

/** @returns the id of the job */
async function launch(session, input) {
  const { job, userErrors } = (await session.api.request(LAUNCH, { input })).launchEtlJob;
  if (job === null) throw new Error(userErrors.map((error) => `${error.path.join('.')}: ${error.message}`).join('\n'));
  return job.id;
}

/** Shows a job until its end. */
async function follow(session, jobId, { waitForDecision = false } = {}) {
  const exitCode = await followJob(session, { jobId, afterSeq: 0, cancelOnInterrupt: false, waitForDecision });
  if (exitCode !== 0) throw new Error(`The job ${jobId} did not succeed.`);
}

/** Whether Ctrl-C stays with this script instead of detaching from the job, which would end with the gateway anyway. */
const surroundings = (tokenFile) => ({
  config: () => ({ url: '', token: undefined, tokenFile }),
  clock: systemClock,
  terminal: () => terminal,
  onInterrupt: () => () => {},
  quit: (code) => process.exit(code),
});

async function demonstrate(gateway) {
  const began = performance.now();
  say('Starting the gateway and its embedded PostgreSQL ...');
  await gateway.ready();
  say(`Ready in ${durationText(performance.now() - began)}: ${gateway.url}/graphql`);
  const session = await openSession(surroundings(TOKEN_FILE), { url: gateway.url });

  heading('1. Three million flights: Parquet to PostgreSQL');
  say('   launchEtlJob: cast, rename, derive route and late, keep distances from 100 miles, four expectations');
  await follow(session, await launch(session, FLIGHTS));

  heading('2. A messy list of movies: rows that break the rules are set aside, each with its reasons');
  say('   launchEtlJob: rename, select, cast "Jun 12 1998" to a date, tidy titles, derive profit, seven expectations');
  await follow(session, await launch(session, MOVIES));

  heading('3. A target that drifted: an agent is asked, and mends the pipeline');
  await escalationAct({
    session,
    say,
    launch: (input) => launch(session, input),
    follow: (jobId, options) => follow(session, jobId, options),
    gateway: { root: ROOT, home: HOME, url: gateway.url, token: readFileSync(TOKEN_FILE, 'utf8').trim() },
  });

  const total = durationText(performance.now() - began);
  heading(`That was ${total}. Where to look next`);
  const home = relative(process.cwd(), HOME) || '.';
  const rows = [
    [`SLUICE_HOME=${home} npm start`, 'serves these jobs and tables again, at http://127.0.0.1:4000'],
    [`${join(home, 'admin-token')}`, 'the bearer token for POST and WebSocket /graphql'],
    ['SLUICE_DATA_DIRS=docs/examples npm start', 'a server that can read the example files, and then'],
    ['npx sluice run docs/examples/orders.yaml', 'runs a job from a file, in another terminal'],
    [
      'npx sluice simulate --class PIPELINE_DECISION',
      'draws whom Sluice would have asked after an agent that stays silent',
    ],
    ['README.md, docs/connectors.md', 'the API by example; every source, step, expectation and sink'],
  ];
  for (const [what, why] of rows) say(`   ${what.padEnd(46)} ${why}`);
}

function logTail(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .slice(-10)
    .map((line) => `   ${line.slice(0, 400)}`);
}

const gateway = await startGateway({ root: ROOT, home: HOME, dataDir: DATA });
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (interrupted) process.exit(INTERRUPTED);
    interrupted = true;
    // A bar hides the cursor; this gives it back.
    if (terminal.isTty) terminal.stream.write('\u001b[?25h\n');
    say('Stopping the gateway ...');
    // The lost connection that follows is meant.
    terminal.out = () => {};
    gateway.stop().then(() => process.exit(INTERRUPTED));
  });
}

say(bold('Sluice: a GraphQL gateway for data processing'));
try {
  await Promise.race([demonstrate(gateway), gateway.died]);
  await gateway.stop();
} catch (error) {
  if (!interrupted) {
    terminal.out = () => {};
    terminal.error(`\nThe demonstration failed: ${error instanceof Error ? error.message : error}`);
    await gateway.stop();
    const log = error instanceof ChildEnded ? error.log : gateway.log;
    const tail = logTail(log);
    if (tail.length > 0) terminal.error(`The end of ${log}:`);
    for (const line of tail) terminal.error(line);
    // What waits for the gateway to come back must not keep us.
    process.exit(1);
  }
}
