// npm run bench:escalation [-- --open 100000 --per-second 150 --seconds 60 --burst 20000 --agents 50 --escalators 1]
import { parseArgs } from 'node:util';
import { createLog } from '../../../src/core/log.js';
import { migrate } from '../../../src/store/migrate.js';
import { whole } from '../arguments.js';
import { openBenchDatabase } from '../bench-database.js';
import { figureJson, figureTable } from '../figures.js';
import { machineFacts, runBench } from '../run-bench.js';
import { startAgents } from './agents.js';
import { startEscalator } from './escalator.js';
import { measureBurst, measureTrickle } from './measure.js';
import { aSecret, openEscalations, saveLadders } from './open-rows.js';

function readArguments(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      open: { type: 'string', default: '100000' },
      'per-second': { type: 'string', default: '150' },
      seconds: { type: 'string', default: '60' },
      burst: { type: 'string', default: '20000' },
      agents: { type: 'string', default: '50' },
      escalators: { type: 'string', default: '1' },
    },
  });
  return {
    open: whole(values.open, 'open', 1),
    perSecond: whole(values['per-second'], 'per-second', 1),
    seconds: whole(values.seconds, 'seconds', 1),
    burst: whole(values.burst, 'burst', 1),
    agents: whole(values.agents, 'agents', 2),
    escalators: whole(values.escalators, 'escalators', 1),
  };
}

runBench(async ({ closing, tell }) => {
  const args = readArguments(process.argv.slice(2));
  const database = await openBenchDatabase(process.env.BENCH_DATABASE_URL ?? process.env.DATABASE_URL, [
    // The only exact record of when something was committed.
    'track_commit_timestamp',
  ]);
  closing(database.close);
  const facts = machineFacts(database, tell);
  const { client: db } = database;
  await migrate(database.url, { log: createLog('error') });

  const secret = aSecret();
  const agents = await startAgents(args.agents, secret);
  closing(agents.stop);
  tell(`opening ${args.open} escalations`);
  await saveLadders(db, agents.urls, secret);
  await openEscalations(db, args.open, args.agents);
  const pids: number[] = [];
  for (let n = 0; n < args.escalators; n++) {
    const escalator = await startEscalator(database.url);
    closing(escalator.stop);
    pids.push(escalator.pid);
  }

  const setting = { db, agents, pids, tell };
  const figures = [
    ...(await measureTrickle(setting, args.perSecond, args.seconds)),
    ...(await measureBurst(setting, args.burst)),
  ];
  for (const line of figureTable(figures)) console.log(line);
  console.log(figureJson(figures, { ...facts, ...args }));
});
