// npm run bench: installs what is missing, builds, then runs the benchmark against the built code.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';

bootstrap();
build();
const args = ['--import', 'tsx', join(ROOT, 'test', 'bench', 'main.ts'), ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
