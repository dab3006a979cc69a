// npm run bench, bench:escalation: installs what is missing, builds, then runs the benchmark that the first argument
// names against the built code.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';

bootstrap();
build();
const [name, ...given] = process.argv.slice(2);
const args = ['--import', 'tsx', join(ROOT, 'test', 'bench', `${name}.ts`), ...given];
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
