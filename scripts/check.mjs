// npm run check: everything about the code that can be judged without running the tests. Prints each step, its time and
// whether it is well; the output of a step only when it is not.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';

const bin = (...path) => join(ROOT, 'node_modules', ...path);
const script = (name) => ['--import', 'tsx', join(ROOT, 'scripts', name), '--check'];

// The longest first, so that the processors are busy to the end.
const STEPS = [
  ['types', [bin('typescript', 'bin', 'tsc'), '--noEmit']],
  ['architecture', [bin('vitest', 'vitest.mjs'), 'run', '--project', 'architecture', '--reporter=dot']],
  ['database dump', script('dump-database.ts')],
  ['unused code', [bin('knip', 'bin', 'knip.js'), '--no-progress']],
  ['GraphQL schema', script('print-schema.ts')],
  ['documents', script('print-docs.ts')],
  ['lockfile', [join(ROOT, 'scripts', 'check-lockfile.mjs')]],
  ['format and lint', [bin('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings']],
];

function run([name, args]) {
  const begin = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (data) => output.push(data));
    child.stderr.on('data', (data) => output.push(data));
    child.on('close', (code) => {
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(16)} ${seconds.padStart(5)} s`);
      if (code !== 0) console.log(Buffer.concat(output).toString().trimEnd());
      resolve(code === 0);
    });
  });
}

bootstrap();
const begin = performance.now();
const queue = [...STEPS];
const failed = [];
async function lane() {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    if (!(await run(step))) failed.push(step[0]);
  }
}
await Promise.all(Array.from({ length: Math.max(2, Math.min(availableParallelism(), 4)) }, lane));
const seconds = ((performance.now() - begin) / 1000).toFixed(1);
console.log(
  failed.length === 0
    ? `All ${STEPS.length} checks passed in ${seconds} s.`
    : `Failed: ${failed.join(', ')} (${seconds} s).`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
