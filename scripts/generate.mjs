// npm run generate: writes every generated file that is committed; `npm run check` fails when one of them is stale.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';

bootstrap();
const scripts = ['print-schema.ts', 'dump-database.ts', 'print-docs.ts'];
const failed = scripts.filter((script) => {
  const args = ['--import', 'tsx', join(ROOT, 'scripts', script), ...process.argv.slice(2)];
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
