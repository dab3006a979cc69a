// npm test: installs what is missing, provides Redis, runs vitest, and closes with "N passed, N failed".
// Arguments go to vitest: npm test -- test/unit/config.test.ts -t 'a name'.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { installRedis, provideRedis } from './provide-redis.mjs';
import { readTally } from './test-tally.mjs';

bootstrap();
const filters = process.argv.slice(2);
// Some tests break a Redis of their own.
installRedis();
const redis = await provideRedis(process.env.REDIS_URL);
const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const report = join(folder, 'report.json');
// As root the tests' Postgres runs as another user, who has to pass.
chmodSync(folder, 0o711);

// Tests of the defaults must see the defaults: what this machine has configured travels under names of its own.
// Whatever the tests leave behind, be it because they were interrupted, lies in one folder that goes with them.
const env = { ...process.env, TEST_REDIS_URL: redis.url, TMPDIR: folder };
if (process.env.DATABASE_URL) env.TEST_DATABASE_URL = process.env.DATABASE_URL;
for (const name of Object.keys(env)) {
  if (name === 'DATABASE_URL' || name === 'REDIS_URL' || name.startsWith('SLUICE_')) delete env[name];
}

const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...filters], { cwd: ROOT, env, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));

child.on('exit', (code, signal) => {
  redis.stop();
  const tally = readTally(existsSync(report) ? readFileSync(report, 'utf8') : undefined, {
    exitCode: code ?? 1,
    filtered: filters.length > 0,
  });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  for (const sentence of tally.remarks) console.log(sentence);
  if (signal) console.log(`The test run was ended by ${signal}.`);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  process.exit(tally.failed > 0 ? code || 1 : 0);
});
