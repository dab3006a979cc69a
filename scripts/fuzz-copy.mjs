// npm run fuzz:copy: installs what is missing, then holds Sluice against PostgreSQL's COPY over random rows.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';

bootstrap();
const args = ['--import', 'tsx', join(ROOT, 'test', 'differential', 'main.ts'), ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
