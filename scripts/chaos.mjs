// npm run chaos, chaos:escalation: installs what is missing, then breaks the part of Sluice that the first argument
// names, and judges what is left.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { installRedis } from './provide-redis.mjs';

bootstrap();
const [part, ...given] = process.argv.slice(2);
if (part === 'jobs') installRedis();
const args = ['--import', 'tsx', join(ROOT, 'test', 'chaos', part, 'main.ts'), ...given];
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
