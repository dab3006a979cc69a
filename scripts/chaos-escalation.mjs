// npm run chaos:escalation: installs what is missing, then kills escalators and judges what is left.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';

bootstrap();
const args = ['--import', 'tsx', join(ROOT, 'test', 'chaos', 'main.ts'), ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
